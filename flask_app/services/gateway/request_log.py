"""The log of programs' requests: a row for each that comes with a valid token, written once it has ended.

Rows wait in memory for a second at most, and are written together: a stream waits for none. What has begun is known
until then, so that the end of a process loses nothing; only a process that is killed loses what it had not written.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from flask_app.database import in_company, new_id, table_of, utc_now
from flask_app.models import ProgramRequest
from flask_app.services.completion.attempts import Said
from flask_app.services.gateway import word_log
from flask_app.statements import Prepared

CALLS = (
    *("chat.completions", "completions", "responses", "embeddings", "messages", "messages.count_tokens", "models"),
    "other",
)
LEFT, GONE = "left", 499  # how the log says that the program went away, and the status where it was before any reply
RESTARTING, UNAVAILABLE = "restarting", 503
WRITE_SECONDS = 1  # how long a row waits for others
MOST_AT_ONCE = 200  # in one transaction
MOST_WAITING = 5000  # more than a worker has connections: whoever ends then writes them itself
FINISH_SECONDS = 2  # how long the end of a process waits for replies to end by themselves
MAX_NAME = 128
_LOOK_SECONDS = 0.02

_table = table_of(ProgramRequest)
# A reply to a COMMIT can be lost, and the rows come again.
_on_mysql = mysql.insert(_table).on_duplicate_key_update(id=_table.c.id)
_INSERT = Prepared({"sqlite": sqlite.insert(_table).on_conflict_do_nothing(), "mysql": _on_mysql, "mariadb": _on_mysql})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ended:
    """How an answer went: `status` is its outcome's, `failure` its code at the gateway; `first_token_at` is of the
    monotonic clock. `said` is there where its words are to be kept.
    """

    status: str
    failure: str | None
    actual_model: str | None
    attempts: int
    attempt_id: str | None
    first_token_at: float | None
    said: Said | None = None


class Followed(Protocol):
    """An answer whose end is told once, at once where it has ended. `ended` is None before."""

    ended: Ended | None

    def when_ended(self, tell: Callable[[Ended], None]) -> None: ...


@dataclass(eq=False, slots=True, kw_only=True)
class OpenRequest:
    """A request that has not ended. What is known of it is noted as it comes; `close` once its reply has ended.

    `asked` is its body, where it `keeps_words`. One that `is_left_out` has no row. One that `is_replayed`
    was given a reply that was there.
    """

    request_id: str
    user_id: str
    token_id: str
    call: str
    address: str
    began: float = field(default_factory=time.monotonic)
    created_at: datetime = field(default_factory=utc_now)
    id: str = field(default_factory=new_id)
    model: str | None = None
    status: int | None = None
    error_code: str | None = None
    has_left: bool = False
    is_stream: bool = False
    bytes_sent: int = 0
    answer: Followed | None = None
    keeps_words: bool = False
    is_left_out: bool = False
    is_replayed: bool = False
    asked: bytes = b""

    def hear(self, body: bytes) -> None:
        if self.keeps_words:
            self.asked = body[: word_log.MOST_BYTES]

    def ask_for(self, model: str) -> None:
        self.model = model[:MAX_NAME]

    def close(self) -> None:
        """Its reply has ended. The row is written once its answer has too, which may be long and is let go of."""
        ended_at, answer = time.monotonic(), self.answer
        self.answer = None
        if answer is None:
            self._end(ended_at, None)
        else:
            answer.when_ended(lambda ended: self._end(ended_at, ended))

    def give_up(self) -> None:
        """The process ends before the request does."""
        self.status, self.error_code = self.status or UNAVAILABLE, self.error_code or RESTARTING
        self._end(time.monotonic(), self.answer.ended if self.answer else None)

    def _end(self, ended_at: float, ended: Ended | None) -> None:
        if _open.pop(self.id, None) is None or self.is_left_out:
            return
        _waiting.add(self._row(ended_at, ended))
        if self.keeps_words and self.asked:
            word_log.keep(self.id, self.user_id, self.token_id, self.asked, ended.said if ended else None)

    def _row(self, ended_at: float, ended: Ended | None) -> dict[str, Any]:
        if self.has_left or (ended and ended.status == LEFT):
            self.error_code = LEFT
            self.status = self.status if self.is_stream else GONE
        elif ended and ended.failure:
            self.error_code = ended.failure
        first = ended.first_token_at if ended else None
        status = self.status or UNAVAILABLE
        return {
            "id": self.id,
            "request_id": self.request_id,
            "user_id": self.user_id,
            "token_id": self.token_id,
            "call": self.call,
            "model": self.model,
            "actual_model": ended.actual_model if ended else None,
            "status": status,
            "status_class": status // 100,
            "error_code": self.error_code,
            "attempts": ended.attempts if ended else 0,
            "attempt_id": ended.attempt_id if ended else None,
            "first_token_ms": None if first is None else _ms(first - self.began),
            "duration_ms": _ms(ended_at - self.began),
            "bytes_sent": self.bytes_sent,
            "address": self.address,
            "created_at": self.created_at,
        }


class _Waiting:
    """Rows that wait to be written, a bounded number of them."""

    def __init__(self) -> None:
        self._rows: deque[Mapping[str, Any]] = deque()
        self._lock = threading.Lock()  # of who writes
        self.there_are = threading.Event()

    def add(self, row: Mapping[str, Any]) -> None:
        self._rows.append(row)
        self.there_are.set()
        if len(self._rows) >= MOST_WAITING:
            self._make_room()

    def write(self) -> bool:
        """Write what waits. False where the database does not take it now: it waits on."""
        with self._lock:
            self.there_are.clear()
            while rows := [self._rows.popleft() for _ in range(min(len(self._rows), MOST_AT_ONCE))]:
                if not written(rows):
                    self._rows.extendleft(reversed(rows))
                    return False
        return True

    def _make_room(self) -> None:
        """The log of the server keeps what the database does not."""
        if not self.write():
            while len(self._rows) >= MOST_WAITING:
                self.lose(1)

    def lose(self, most: int) -> None:
        for _ in range(min(len(self._rows), most)):
            _lost(self._rows.popleft())

    def clear(self) -> None:
        self._rows.clear()


_open: dict[str, OpenRequest] = {}
_waiting = _Waiting()
_ended = threading.Event()
_watcher: threading.Thread | None = None


def begin(request: OpenRequest) -> OpenRequest:
    """From here on it is written down, however it ends."""
    _open[request.id] = request
    return request


def write() -> bool:
    """Write the rows of what has ended by now. False where the database does not take them."""
    return _waiting.write()


def watch() -> None:
    """Begin to write, on a thread of its own; the server calls this once in each worker."""
    global _watcher
    if _watcher is None:
        _watcher = threading.Thread(target=_watch, name="requests", daemon=True)
        _watcher.start()


def finish() -> None:
    """Before the process ends: write what has ended, and as given up what does not end."""
    deadline = time.monotonic() + FINISH_SECONDS
    while _open and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    for request in list(_open.values()):
        request.give_up()
    if not write():
        _waiting.lose(MOST_WAITING)


def forget() -> None:
    """Drop what waits, for tests."""
    _open.clear()
    _waiting.clear()


def _watch() -> None:
    while not _ended.is_set():
        _waiting.there_are.wait()
        _ended.wait(WRITE_SECONDS)
        if not write():
            _waiting.there_are.set()


def written(rows: Sequence[Mapping[str, Any]]) -> bool:
    """False where the database is away; a row that it refuses must not keep the others back."""

    def insert(connection: Connection) -> None:
        _INSERT.run_each(connection, rows)

    try:
        in_company(insert)
    except SQLAlchemyError as error:
        if len(rows) > 1 and not _is_away(error):
            return all(written([row]) for row in rows)
        log.warning("requests_not_written", count=len(rows), reason=str(error.__cause__ or error))
        if _is_away(error):
            return False
        _lost(rows[0])
    return True


def _is_away(error: SQLAlchemyError) -> bool:
    """Is it the database that cannot, rather than the row?"""
    return not isinstance(error, DataError | IntegrityError)


def _lost(row: Mapping[str, Any]) -> None:
    log.error("request_lost", **{name: value for name, value in row.items() if value is not None})


def _ms(seconds: float) -> int:
    return max(0, int(seconds * 1000))
