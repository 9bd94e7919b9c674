"""What a worker leaves in the database when it is killed in mid-answer."""

from datetime import timedelta

from sqlalchemy import true, update

from flask_app.database import transaction, utc_now
from flask_app.models import Attempt, Message, Run
from tests.support import ledger


def as_if_killed(text: str = "the whole") -> None:
    """Every answer is unfinished again, and its worker has been silent for a while."""
    long_ago = utc_now() - timedelta(minutes=5)
    with transaction() as session:
        session.execute(update(Run).values(status="running", lease_expires_at=long_ago, worker="killed"))
        session.execute(update(Message).where(Message.role == "assistant").values(status="running", text=text))
        session.execute(update(Attempt).values(state="dispatched", created_at=long_ago))
    ledger.forget(true())
