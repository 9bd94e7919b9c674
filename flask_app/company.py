"""Writes that can wait a moment travel with the next one: on SQLite each COMMIT waits for the disk, whatever is in it.

Who boards waits until another transaction has taken it along, or a little while has passed, and then begins one itself,
which takes the others along. Each has a savepoint of its own. Whatever goes wrong on the way, those who did not arrive
go again, each by itself: there they meet their own fault, and nobody else's.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from flask_app.statements import execute

WAIT_SECONDS = 0.025
HEAD_START_SECONDS = 0.1  # for who has gone to take the others along, before the next one goes

log = structlog.get_logger()


class Passenger:
    """A write on its way; `is_written`, with its `result`, once it is committed."""

    __slots__ = ("has_travelled", "is_aboard", "is_over", "is_written", "result", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.is_over = threading.Event()
        self.is_aboard = self.has_travelled = self.is_written = False
        self.result: Any = None

    def travel(self, connection: Connection) -> None:
        """Write. Raises OperationalError: after that nothing of the whole transaction can be trusted."""
        try:
            with _savepoint(connection):
                self.result = self.work(connection)
            self.has_travelled = True
        except OperationalError:
            raise
        except Exception:
            log.exception("write_left_behind")


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """As SQLAlchemy's, which gives each a new name and compiles its statements every time."""
    execute(connection, "SAVEPOINT passenger")
    try:
        yield
    except BaseException:
        execute(connection, "ROLLBACK TO SAVEPOINT passenger")
        execute(connection, "RELEASE SAVEPOINT passenger")
        raise
    execute(connection, "RELEASE SAVEPOINT passenger")


class Company:
    """Who waits at present."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Passenger] = []
        self._went_at: float | None = None  # the moment at which one went whom nobody has travelled with yet

    def travels(self, passenger: Passenger) -> bool:
        """Wait to be taken along; False when it must go by itself."""
        with self._lock:
            self._waiting.append(passenger)
        while not passenger.is_over.wait(None if passenger.is_aboard else WAIT_SECONDS):
            with self._lock:
                if self._waiting[:1] == [passenger] and not self._is_expected():
                    del self._waiting[0]  # the others wait for the first, who takes them along
                    self._went_at = time.monotonic()
                    return False
        return passenger.is_written

    def _is_expected(self) -> bool:
        """Is somebody about to take along who waits?"""
        return self._went_at is not None and time.monotonic() - self._went_at < HEAD_START_SECONDS

    @contextmanager
    def taken_along(self, begin: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        """A transaction that `begin` opens; when its own work is done, everybody who waits travels in it."""
        aboard: list[Passenger] = []
        try:
            with begin() as connection:
                yield connection
                aboard = self._board()
                for passenger in aboard:
                    passenger.travel(connection)
            for passenger in aboard:
                passenger.is_written = passenger.has_travelled
        finally:
            for passenger in aboard:
                passenger.is_over.set()

    def _board(self) -> list[Passenger]:
        with self._lock:
            aboard, self._waiting, self._went_at = self._waiting, [], None
            for passenger in aboard:
                passenger.is_aboard = True
        return aboard
