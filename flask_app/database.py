"""The database: base class, column types, and the two ways to use it, `transaction` and `reading`."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from traceback import clear_frames
from typing import ClassVar, TypeVar, cast

from sqlalchemy import Engine, MetaData, Table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session

from flask_app import engines
from flask_app.column_types import UtcDateTime
from flask_app.company import Passenger

Result = TypeVar("Result")
Handle = TypeVar("Handle", Session, Connection)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
_ID = re.compile(f"0[{_ALPHABET[1:]}][{_ALPHABET}]{{24}}")
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]

_newest = [0]  # the number of the last id made of now
_newest_lock = Lock()

# Error numbers after which the whole transaction may be tried again: lock wait time-out, deadlock, and MariaDB's
# "record has changed since last read".
_RETRYABLE = frozenset({1205, 1213, 1020})
_MAX_TRIES = 3


def new_id(moment: datetime | None = None) -> str:
    """A fresh primary key: 26 characters, sortable by creation time, 80 of its bits random (a ULID).

    It is of now, by this machine's clock, if not of another `moment`. Those that a process makes of now sort as they
    were made, within a millisecond too, or where the clock is set back by less than a second: each is then a step of
    64 random bits beyond the one before.
    """
    if moment is not None:
        return _id(int(moment.timestamp() * 1000) << 80 | secrets.randbits(80))
    with _newest_lock:
        number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
        if 0 <= (_newest[0] >> 80) - (number >> 80) < 1000:
            number = _newest[0] + 1 + secrets.randbits(64)
        _newest[0] = number
    return _id(number)


def derived_id(moment: datetime, words: str) -> str:
    """The id that these words always have, of the moment: what has it already has come before."""
    digest = hashlib.sha256(words.encode()).digest()[:10]
    return _id(int(moment.timestamp() * 1000) << 80 | int.from_bytes(digest))


def marked_id(moment: datetime, place: int, words: str) -> str:
    """One of the moment that sorts by its place, below a million, and ends with the mark of these words."""
    digest = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8]) >> 4
    return _id(int(moment.timestamp() * 1000) << 80 | place << 60 | digest)


def mark_of(made: str) -> str:
    """The end of one that `marked_id` made: the same words always have the same."""
    return made[-12:]


def first_id(moment: datetime) -> str:
    """The least of all that may be made from the moment on."""
    return _id(int(moment.timestamp() * 1000) << 80)


def is_id(text: str) -> bool:
    """Could it be one that `new_id` made? None is of before 2004 or after the year 3000."""
    return _ID.fullmatch(text) is not None


def moment_of(made: str) -> datetime:
    """When an id was made, to the millisecond."""
    milliseconds = 0
    for digit in made[:10]:
        milliseconds = milliseconds << 5 | _ALPHABET.index(digit)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _id(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -10, -10)])


def utc_now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime()}


def table_of(model: type[Base]) -> Table:
    """The model's table, for statements made once."""
    return cast("Table", model.__table__)


_engines: engines.Engines | None = None


def connect(url: str, *, reply_seconds: int | None = None) -> None:
    """Bind the process to the database at `url`; the connection itself is made on first use.

    A server may be silent for `reply_seconds`, `engines.REPLY_SECONDS` if not told.
    """
    global _engines
    disconnect()
    _engines = engines.Engines(url, reply_seconds or engines.REPLY_SECONDS)


def end_writing() -> None:
    """For good, on SQLite: waits for what this process is writing, and whoever comes after that gets no turn.

    A connection in use as the process ends is closed by nobody, and `disconnect` could not bring all into one file.
    """
    _bound().turn.__enter__()


def disconnect() -> None:
    """Close the connections that are not in use. Whoever closes SQLite's last one brings all into the one file."""
    if _engines is not None:
        _engines.dispose()


def engine() -> Engine:
    """The engine that reads."""
    return _bound().reader


def writer() -> Engine:
    """The engine that writes, for who holds a transaction open; others use `transaction` and `writing`."""
    return _bound().writer


@contextmanager
def transaction() -> Iterator[Session]:
    """A session whose changes commit together on leaving, or not at all.

    Objects stay readable afterwards. The network is never used inside.
    """
    bound = _bound()
    with bound.turn, Session(bound.writer, expire_on_commit=False) as session:
        yield session
        session.commit()


@contextmanager
def writing(*, alone: bool = False) -> Iterator[Connection]:
    """The same on a bare connection, for the token path's statements made once: half the cost of a session.

    `alone`, it takes nobody along: somebody waits for it who would wait for them too.
    """
    bound = _bound()
    if bound.company is None:
        with bound.begin() as connection:
            yield connection
    elif alone:
        with bound.turn, bound.begin() as connection:
            yield connection
    else:
        with bound.turn, bound.company.taken_along(bound.begin) as connection:
            yield connection


@contextmanager
def reading() -> Iterator[Session]:
    """A session for queries: nothing is ever written through it, nor held. Each sees what is committed by then."""
    with Session(engine(), expire_on_commit=False, autoflush=False) as session:
        yield session


def fetching() -> AbstractContextManager[Connection]:
    """The same on a bare connection, for the token path's queries."""
    return _bound().fetch()


def in_transaction(work: Callable[[Session], Result]) -> Result:
    """Run `work` in a transaction, and again (three times in all) when the server breaks a deadlock."""
    return _persistently(transaction, work)


def in_writing(
    work: Callable[[Connection], Result],
    *,
    alone: bool = False,
    is_there: Callable[[Connection, Result], bool] | None = None,
    doubted: Callable[[Result], object] = lambda _: None,
) -> Result:
    """The same on a bare connection, `alone` as in `writing`.

    When the connection breaks at the COMMIT it may have happened all the same, or happen later: `is_there`, in another
    transaction, looks for what was written, and waits for who is still writing it. Where nobody can say now, `doubted`
    gets it before this raises.
    """
    written: list[Result] = []

    def noted(connection: Connection) -> Result:
        written[:] = [work(connection)]
        return written[0]

    try:
        return _persistently(partial(writing, alone=alone), noted)
    except OperationalError:
        if is_there and written:
            found = _holds(is_there, written[0])
            if found:
                return written[0]
            if found is None:
                doubted(written[0])
        raise


def in_company(work: Callable[[Connection], Result]) -> Result:
    """The same for what can wait a moment: where that spares a COMMIT of its own, it travels with another's."""
    if (company := _bound().company) is None:
        return in_writing(work)
    passenger = Passenger(work)
    if not company.travels(passenger):
        return in_writing(work)
    result: Result = passenger.result
    return result


def _holds(is_there: Callable[[Connection, Result], bool], written: Result) -> bool | None:
    try:
        with writing(alone=True) as connection:
            return is_there(connection, written)
    except (OperationalError, PoolTimeoutError):  # nobody can say
        return None


def _persistently(begin: Callable[[], AbstractContextManager[Handle]], work: Callable[[Handle], Result]) -> Result:
    for tries_left in reversed(range(_MAX_TRIES)):
        try:
            with begin() as handle:
                return work(handle)
        except OperationalError as error:
            if not tries_left or getattr(error.orig, "args", (None,))[0] not in _RETRYABLE:
                raise
            clear_frames(error.__traceback__)  # or they, and whoever asked, stay until the collector comes
    raise AssertionError("unreachable: the last try returns or raises")


def _bound() -> engines.Engines:
    if _engines is None:
        raise RuntimeError("create_app() has not run: no database is connected")
    return _engines
