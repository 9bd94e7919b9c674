"""What a worker leaves in the database when it is killed in mid-answer."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, true, update
from sqlalchemy.orm import Session

from flask_app.database import Base, new_id, table_of, transaction, utc_now
from flask_app.models import Attempt, Message, Run
from flask_app.services.runs import run_service
from tests.support import ledger
from tests.support.brokers import wait_until


def as_if_killed(text: str = "the whole") -> None:
    """Every answer is unfinished again, and its worker has been silent for a while."""
    wait_until(lambda: not run_service.live_runs())  # who has told the end is still here for a moment
    long_ago = utc_now() - timedelta(minutes=5)
    with transaction() as session:
        session.execute(update(Run).values(status="running", lease_expires_at=long_ago, worker="killed"))
        session.execute(update(Message).where(Message.role == "assistant").values(status="running", text=text))
        session.execute(update(Attempt).values(state="dispatched", created_at=long_ago))
    ledger.forget(true())


def multiply(count: int) -> None:
    """So many answers more like the one that there is, which was killed."""
    with transaction() as session:
        runs, answers, attempts = (_copies(session, model, count) for model in (Run, Message, Attempt))
        for number, run in enumerate(runs):
            run |= {"message_id": answers[number]["id"], "idempotency_key": new_id()}
            attempts[number] |= {"message_id": answers[number]["id"], "run_id": run["id"]}
        for model, rows in ((Message, answers), (Run, runs), (Attempt, attempts)):
            session.execute(insert(model), rows)


def _copies(session: Session, model: type[Base], count: int) -> list[dict[str, Any]]:
    """Of the newest row; of messages that is the answer."""
    table = table_of(model)
    row = session.execute(select(table).order_by(table.c.id.desc()).limit(1)).mappings().one()
    return [dict(row) | {"id": new_id()} for _ in range(count)]
