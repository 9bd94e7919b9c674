"""Entries of the audit log that are older than a site keeps them: counted, and removed. Others never are."""

import time
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from flask_app.database import fetching, first_id, in_writing, table_of
from flask_app.models import AuditEntry
from flask_app.services.runs import closing

BATCH = 500  # removed in one transaction
BATCHES = 100  # in one turn
PAUSE_SECONDS = 0.05  # between two, for everybody else

_entries = table_of(AuditEntry)


def count(before: datetime) -> int:
    """How many are from before that moment. Their ids are in the order of time."""
    with fetching() as connection:
        return (
            connection.scalar(select(func.count()).select_from(_entries).where(_entries.c.id < first_id(before))) or 0
        )


def remove(before: datetime) -> None:
    """Delete those from before that moment, a part at a time."""
    oldest = select(_entries.c.id).where(_entries.c.id < first_id(before)).order_by(_entries.c.id).limit(BATCH)
    for _ in range(BATCHES):
        with fetching() as connection:
            found = connection.scalars(oldest).all()
        if not found or closing.is_closed():
            return
        _remove_up_to(found[-1])
        time.sleep(PAUSE_SECONDS)


def _remove_up_to(last: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute(delete(_entries).where(_entries.c.id <= last))

    in_writing(work)
