"""Browsers that are new to somebody."""

from flask_app.database import new_id, transaction
from flask_app.models import KnownDevice
from flask_app.services.secrets.signing import digest


def keep(person_id: str) -> str:
    """One in which they have signed in and are not any more; gives its id."""
    row = KnownDevice(id=digest(new_id()), user_id=person_id, user_agent="", address="192.0.2.9", is_new=True)
    with transaction() as session:
        session.add(row)
    return row.id
