"""Who gives up a confirmed mail address is told so there: it may have been somebody else, at their open browser."""

from flask_app.database import new_id, utc_now
from flask_app.domain.warning import ALL, Alert
from flask_app.models import User
from flask_app.services.warnings.notice_service import EMAIL, TO, Recipient

KIND = "address"


def given_up(user: User, before: str, client: str) -> tuple[Alert, Recipient]:
    """`before` is the address that was confirmed until now, `client` from which address that was done."""
    facts = {"name": user.username, TO: before, "address": client, "at": utc_now().isoformat()}
    alert = Alert(kind=KIND, subject_id=user.id, armed=new_id(), share=ALL, facts=facts, owner_id=user.id)
    return alert, Recipient(EMAIL, user.id)
