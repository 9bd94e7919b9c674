"""Readers here of answers that other workers make. None of them waits for the database: one thread asks it how all
their runs stand, and says there that they are followed.

The database is told, not Redis: it is there wherever an answer can be, and what it does not know is not so.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.column_types import ByServer
from flask_app.database import fetching, in_writing, table_of
from flask_app.models import Run
from flask_app.services.runs import closing, run_locks, stored_answers
from flask_app.services.runs.stored_answers import StoredAnswer
from flask_app.streams.keeper import HEARTBEAT

LOOK_SECONDS = 1
PACE_SECONDS = 0.05  # so that many who come at once are looked at together
RENEW_SECONDS = 5

_runs = table_of(Run)
_STATUSES = select(_runs.c.id, _runs.c.status).where(_runs.c.id.in_(bindparam("runs", expanding=True)))
_NOTE = update(_runs).where(_runs.c.id.in_(bindparam("ids", expanding=True))).values(followed_at=ByServer(0))

log = structlog.get_logger()
_followed: dict[str, "Followed"] = {}
_unnoted: set[str] = set()
_guard = threading.Lock()
_due = threading.Event()
_looked = threading.Condition()
_looker: threading.Thread | None = None
_renewed_at = 0.0


class Followed:
    """A run that is read here, as of the last look. `status` is None once it has gone with its conversation.

    `answer` is looked at only while somebody has it wanted.
    """

    def __init__(self, run: Run) -> None:
        self.run_id = run.id
        self.status: str | None = run.status
        self.answer: StoredAnswer | None = None
        self.readers = self.wanting = 0
        self.looked_at = 0.0  # when the last look began, on the monotonic clock

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """While the block runs, looks find the answer too."""
        with _guard:
            self.wanting += 1
        _due.set()
        try:
            yield
        finally:
            with _guard:
                self.wanting -= 1

    def looked(self, *, at_once: bool = True) -> Iterator[bytes]:
        """Heartbeats, one a second, until there was a look that began after this moment, or the process leaves."""
        asked = time.monotonic()
        if at_once:
            _due.set()
        while not closing.is_leaving() and not self._was_looked_at(asked):
            yield HEARTBEAT

    def _was_looked_at(self, asked: float) -> bool:
        with _looked:
            return _looked.wait_for(lambda: self.looked_at > asked, LOOK_SECONDS)


@contextmanager
def following(run: Run) -> Iterator[Followed]:
    """While the block runs, somebody follows `run` here."""
    followed = _begin(run)
    try:
        yield followed
    finally:
        with _guard:
            followed.readers -= 1
            if not followed.readers:
                del _followed[run.id]
                _unnoted.discard(run.id)


def _begin(run: Run) -> Followed:
    global _looker
    with _guard:
        followed = _followed.setdefault(run.id, Followed(run))
        followed.readers += 1
        if run.status != "running":
            followed.status = run.status
        elif followed.readers == 1:
            _unnoted.add(run.id)
            _due.set()
        if _looker is None:
            _looker = threading.Thread(target=_watch, name="followed", daemon=True)
            _looker.start()
    return followed


def look() -> None:
    """Ask once how all of them stand."""
    began = time.monotonic()
    with _guard:
        all_here = list(_followed.values())
    if not all_here:
        return
    wanted = {followed.run_id for followed in all_here if followed.wanting}
    others = [followed.run_id for followed in all_here if followed.run_id not in wanted]
    with fetching() as connection:
        answers = stored_answers.of_runs(connection, wanted) if wanted else {}
        found = connection.execute(_STATUSES, {"runs": others}).all() if others else []
    statuses = {run.id: run.status for run in found} | {run: answer.ending.status for run, answer in answers.items()}
    with _looked:
        for followed in all_here:
            followed.answer = answers.get(followed.run_id)
            followed.status = statuses.get(followed.run_id)
            followed.looked_at = began
        _looked.notify_all()


def renew() -> None:
    """Say of all that go on that they are still followed, every few seconds."""
    global _renewed_at
    if time.monotonic() - _renewed_at < RENEW_SECONDS:
        return
    with _guard:
        ids = sorted(followed.run_id for followed in _followed.values() if followed.status == "running")
    _note(ids)
    _renewed_at = time.monotonic()


def _note_new() -> None:
    """Those that have begun to be; what fails is noted with the next renewal."""
    with _guard:
        ids = sorted(_unnoted)
        _unnoted.clear()
    _note(ids)


def _note(ids: Sequence[str]) -> None:
    """A run whose row somebody else holds is noted with the next renewal: Stop must not wait for it."""

    def write(connection: Connection) -> None:
        if free := run_locks.lock_free(connection, ids):
            connection.execute(_NOTE, {"ids": free})

    if ids:
        in_writing(write)


def _watch() -> None:
    while True:
        _due.wait(LOOK_SECONDS if _followed else None)
        _due.clear()
        for work in (look, _note_new):
            try:
                work()
            except SQLAlchemyError as error:  # a database that is away ends no stream: it is asked again soon
                log.warning("followed_not_looked_at", reason=str(error.__cause__ or error))
            except Exception:  # a fault of ours must not leave every later reader without an end
                log.exception("followed_not_looked_at")
        time.sleep(PACE_SECONDS)
