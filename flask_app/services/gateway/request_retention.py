"""For how many days the log of programs' requests is kept: a setting of the site, and who removes what is older."""

import time
from datetime import timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import fetching, first_id, in_transaction, in_writing, table_of, utc_now
from flask_app.errors import Invalid
from flask_app.models import ProgramRequest, Setting
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import word_log
from flask_app.services.runs import closing

NAME = "request_log"
USUAL, MOST = 30, 3650  # days
BATCH = 500  # removed in one transaction
BATCHES = 100  # in one round
PAUSE_SECONDS = 0.05  # between two, for everybody else

_rows = table_of(ProgramRequest)
_STORED = select(Setting.value).where(Setting.name == NAME)
_OLDEST = select(_rows.c.id).where(_rows.c.id < bindparam("first")).order_by(_rows.c.id).limit(BATCH)
_REMOVE = delete(_rows).where(_rows.c.id <= bindparam("last"))


def days() -> int:
    with fetching() as connection:
        return _days(connection.scalar(_STORED))


def keep_for(actor: Actor, wanted: int) -> int:
    """From the next round of upkeep on. Raises Invalid("bad_retention")."""
    if not 0 < wanted <= MOST:
        raise Invalid("bad_retention", limit=MOST)

    def work(session: Session) -> None:
        before = _days(session.scalar(_STORED))
        session.merge(Setting(name=NAME, value=str(wanted)))
        if difference := audit_service.difference({"days": before}, {"days": wanted}):
            audit_service.record(session, actor.user, "requests.retention", NAME, difference, actor.address)

    in_transaction(work)
    return wanted


def prune() -> None:
    """Remove what is too old, a little at a time; what a round does not come to is left to the next."""
    first = first_id(utc_now() - timedelta(days=days()))
    for _ in range(BATCHES):
        with fetching() as connection:
            found = connection.scalars(_OLDEST, {"first": first}).all()
        if not found or closing.is_closed():
            return
        _remove(found[-1])
        time.sleep(PAUSE_SECONDS)


def _remove(last: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute(_REMOVE, {"last": last})
        word_log.forget_with_log(connection, last)

    in_writing(work)


def _days(stored: str | None) -> int:
    return USUAL if stored is None else int(stored)
