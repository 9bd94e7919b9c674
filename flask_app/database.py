"""The database: base class, column types, and the two ways to use it, `transaction` and `reading`."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

from sqlalchemy import Engine, MetaData, Table, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session

from flask_app.column_types import UtcDateTime
from flask_app.company import Company, Passenger
from flask_app.pools import CountedPool, Turn, count

Result = TypeVar("Result")
Handle = TypeVar("Handle", Session, Connection)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]

# Error numbers after which the whole transaction may be tried again: lock wait time-out, deadlock, and MariaDB's
# "record has changed since last read".
_RETRYABLE = frozenset({1205, 1213, 1020})
_MAX_TRIES = 3

COMPILED = 50  # statements kept compiled, each of which takes memory; those of every request are in use and stay
CACHE = "cache_size=-1000"  # KiB for each connection, half of the usual: the system keeps the pages of the file anyway
LOCK_SECONDS = 10  # how long SQLite's lock is waited for when another process writes
LOCK_POLL_SECONDS = 0.02
REPLY_SECONDS = 20  # a server that says nothing for so long is as good as away: sooner than a lease runs out
ROW_LOCK_SECONDS = 5  # how long a server's row is waited for: the third try is over before that silence is
# Then the server takes back what a machine without power had begun, which else stays locked for hours; before the lease
# of a run runs out whose row it holds. MySQL knows only of idle connections: those of the pool are made anew.
IDLE_SECONDS = 20
_TERMS = (
    f"SET SESSION innodb_lock_wait_timeout = {ROW_LOCK_SECONDS}"
    f" /*M!100300 , idle_transaction_timeout = {IDLE_SECONDS} */ /*!80000 , wait_timeout = {IDLE_SECONDS} */"
)


def new_id(moment: datetime | None = None) -> str:
    """A fresh primary key: 26 characters, sortable by creation time, 80 of its bits random (a ULID).

    It is of now, by this machine's clock, if not of another `moment`.
    """
    milliseconds = time.time_ns() // 1_000_000 if moment is None else int(moment.timestamp() * 1000)
    return _id(milliseconds << 80 | secrets.randbits(80))


def first_id(moment: datetime) -> str:
    """The least of all that may be made from the moment on."""
    return _id(int(moment.timestamp() * 1000) << 80)


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


class Engines:
    """The process's database. On SQLite the writer is an engine of its own, with the one connection that writes."""

    def __init__(self, url: str, reply_seconds: int) -> None:
        if make_url(url).get_backend_name() == "sqlite":
            self.reader = _sqlite_engine(url, begin="BEGIN", pool_size=10)
            self.writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1, patient=False)
            # Under gevent a thread that waited for the writer inside SQLite would stop the whole process: threads of
            # one process queue here, and whoever waits for another process's writer sleeps outside of SQLite.
            self.turn: AbstractContextManager[object] = Turn()
            self.company: Company | None = Company()
        else:
            self.reader = self.writer = _server_engine(url, reply_seconds)
            self.turn = nullcontext()
            self.company = None
        for made in {self.reader, self.writer}:
            count(made)

    def dispose(self) -> None:
        self.reader.dispose()
        self.writer.dispose()


_engines: Engines | None = None


def connect(url: str, *, reply_seconds: int | None = None) -> None:
    """Bind the process to the database at `url`; the connection itself is made on first use.

    A server may be silent for `reply_seconds`, REPLY_SECONDS if not told.
    """
    global _engines
    disconnect()
    _engines = Engines(url, reply_seconds or REPLY_SECONDS)


def disconnect() -> None:
    """Close the connections that are not in use."""
    if _engines is not None:
        _engines.dispose()


def engine() -> Engine:
    """The engine that reads."""
    return _bound().reader


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
        with bound.writer.begin() as connection:
            yield connection
    elif alone:
        with bound.turn, bound.writer.begin() as connection:
            yield connection
    else:
        with bound.turn, bound.company.taken_along(bound.writer.begin) as connection:
            yield connection


@contextmanager
def reading() -> Iterator[Session]:
    """A session for queries: nothing is ever written through it."""
    with Session(engine(), expire_on_commit=False, autoflush=False) as session:
        yield session


def fetching() -> AbstractContextManager[Connection]:
    """A bare connection for the token path's queries."""
    return engine().connect()


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
    raise AssertionError("unreachable: the last try returns or raises")


def _bound() -> Engines:
    if _engines is None:
        raise RuntimeError("create_app() has not run: no database is connected")
    return _engines


def _server_engine(url: str, reply_seconds: int) -> Engine:
    return create_engine(
        make_url(url).update_query_dict({"charset": "utf8mb4"}),
        poolclass=CountedPool,
        pool_size=10,
        max_overflow=10,
        pool_pre_ping=True,
        pool_recycle=1800,
        isolation_level="READ COMMITTED",
        connect_args={"read_timeout": reply_seconds, "write_timeout": reply_seconds, "init_command": _TERMS},
        hide_parameters=True,
        query_cache_size=COMPILED,
    )


def _sqlite_engine(url: str, *, begin: str, pool_size: int, patient: bool = True) -> Engine:
    """`patient`: SQLite itself waits for locks. Otherwise the beginning of a transaction does, asleep."""
    made = create_engine(
        url,
        poolclass=CountedPool,
        pool_size=pool_size,
        max_overflow=10 if pool_size > 1 else 0,
        connect_args={"timeout": LOCK_SECONDS},
        hide_parameters=True,  # a failed statement is logged, and its parameters are people's words
        query_cache_size=COMPILED,
    )

    def say_begin(connection: Any) -> None:
        deadline = time.monotonic() + (0 if patient else LOCK_SECONDS)
        while True:
            try:
                connection.execute(begin)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
            time.sleep(LOCK_POLL_SECONDS)

    # The driver is told to leave transactions alone, and every one begins with the word that it needs.
    made.dialect.do_begin = say_begin  # type: ignore[method-assign,assignment]

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", CACHE):
            connection.execute(f"PRAGMA {pragma}")
        if not patient:
            connection.execute("PRAGMA busy_timeout=0")

    return made
