"""Readers here of answers that other workers make: their runs say when they were last followed.

The database is told, not Redis: it is there wherever an answer can be, and what it does not know is not so.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy import bindparam, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.column_types import ByServer
from flask_app.database import in_writing, table_of
from flask_app.models import Run
from flask_app.services import run_locks

RENEW_SECONDS = 5

_runs = table_of(Run)
_NOTE = update(_runs).where(_runs.c.id.in_(bindparam("ids", expanding=True))).values(followed_at=ByServer(0))

log = structlog.get_logger()
_followed: Counter[str] = Counter()
_guard = threading.Lock()
_renewed_at = 0.0


@contextmanager
def following(run: Run) -> Iterator[None]:
    """While the block runs, somebody follows `run` here."""
    if run.status != "running":
        yield
        return
    with _guard:
        _followed[run.id] += 1
    try:
        _note_first(run.id)
        yield
    finally:
        with _guard:
            _followed[run.id] -= 1
            if not _followed[run.id]:
                del _followed[run.id]


def renew() -> None:
    """Say of all of them that they are still followed, every few seconds."""
    global _renewed_at
    if time.monotonic() - _renewed_at < RENEW_SECONDS:
        return
    with _guard:
        ids = sorted(_followed)
    _note(ids)
    _renewed_at = time.monotonic()


def _note_first(run_id: str) -> None:
    try:
        _note([run_id])
    except SQLAlchemyError as error:  # the reader reads all the same, and is noted with the next renewal
        log.warning("follower_not_noted", run=run_id, reason=str(error.__cause__ or error))


def _note(ids: Sequence[str]) -> None:
    """A run whose row somebody else holds is noted with the next renewal: Stop must not wait for it."""

    def write(connection: Connection) -> None:
        if free := run_locks.lock_free(connection, ids):
            connection.execute(_NOTE, {"ids": free})

    if ids:
        in_writing(write)
