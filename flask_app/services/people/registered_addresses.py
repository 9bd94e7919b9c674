"""Who came in by which mail address, which a link that was mailed there has confirmed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.models import Registration
from flask_app.services.warnings import mail_service


def registration_of(session: Session, email: str) -> Registration | None:
    """The one that somebody came in with by this address.

    Rows of an older version have another folding, in which ß is ss: what is found so is compared as it was given.
    """
    folded = mail_service.folded(email)
    found = select(Registration).where(Registration.came_in_by.in_({folded, email.casefold()}))
    return next((row for row in session.scalars(found) if mail_service.folded(row.email or "") == folded), None)
