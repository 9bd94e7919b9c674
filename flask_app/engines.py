"""Engines of SQLite and of a server: how connections are made, and how long anything is waited for."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url

from flask_app import offload
from flask_app.company import Company
from flask_app.pools import RECYCLE_SECONDS, CountedPool, Taken, Trust, Turn, ask_rested, count, spare_resets

# Statements kept compiled: those of every page. One that had to make room would be garbage that refers to itself. A
# site that is one small process keeps those of what people do, and of the last pages of its administrators.
COMPILED, COMPILED_SMALL = 400, 64
CACHE = "cache_size=-1000"  # KiB for each connection, half of the usual: the system keeps the pages of the file anyway
LOCK_SECONDS = 10  # how long SQLite's lock is waited for when another process writes
LOCK_POLL_SECONDS = 0.02
REPLY_SECONDS = 20  # a server that says nothing for so long is as good as away: sooner than a lease runs out
ROW_LOCK_SECONDS = 5  # how long a server's row is waited for: the third try is over before that silence is
# Then the server takes back what a machine without power had begun, which else stays locked for hours; before the lease
# of a run runs out whose row it holds. MySQL knows only of idle connections: those of the pool are made anew.
IDLE_SECONDS = 20
OTHERS = 0o077  # what a file's mode lets others do
_TERMS = (
    f"SET SESSION innodb_lock_wait_timeout = {ROW_LOCK_SECONDS}"
    f" /*M!100300 , idle_transaction_timeout = {IDLE_SECONDS} */ /*!80000 , wait_timeout = {IDLE_SECONDS} */"
)

# Queries need no transaction where each sees what is committed by then: whoever waits for a page is spared the round
# trip that ends it, once or twice for each connection that is taken.
_READS = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
_WRITES = {"isolation_level": "READ COMMITTED", "pool_reset_on_return": None}

_wait_for_disk: offload.Apply = offload.call_directly


def wait_with(apply: offload.Apply) -> None:
    """From now on have SQLite's one writer wait for the disk through ``apply``, as `offload.use` does for heavy work.

    It is not of that work's few slots: a COMMIT would stand behind a password's hash.
    """
    global _wait_for_disk
    _wait_for_disk = apply


class Engines:
    """The process's database: an engine that reads and one that writes. On SQLite the latter has one connection.

    `fetch` and `begin` are the token path's ways in: a connection of the one, a transaction of the other.
    """

    def __init__(self, url: str, reply_seconds: int) -> None:
        if make_url(url).get_backend_name() == "sqlite":
            self.reader = _sqlite_engine(url, pool_size=10)
            self.writer = _sqlite_engine(url, pool_size=1, writes=True)
            # Under gevent a thread that waited for the writer inside SQLite would stop the whole process: threads of
            # one process queue here, and whoever waits for another process's writer sleeps outside of SQLite.
            self.turn: AbstractContextManager[object] = Turn()
            self.company: Company | None = Company()
            self.fetch: Callable[[], AbstractContextManager[Connection]] = partial(Taken, self.reader)
            self.begin: Callable[[], AbstractContextManager[Connection]] = partial(_begun, self.writer)
        else:
            self.reader = _server_engine(url, reply_seconds, _READS)
            self.writer = _server_engine(url, reply_seconds, _WRITES)
            spare_resets(self.writer)
            trust = ask_rested(self.reader, self.writer)
            self.turn = nullcontext()
            self.company = None
            self.fetch = partial(Taken, self.reader, trust)
            self.begin = partial(_begun_there, self.writer, trust)
        count(self.reader)
        count(self.writer)

    def dispose(self) -> None:
        self.reader.dispose()
        self.writer.dispose()


@contextmanager
def _begun(writer: Engine) -> Iterator[Connection]:
    """As the engine's own `begin`, on a connection that is ready."""
    with Taken(writer) as connection, connection.begin():
        yield connection


@contextmanager
def _begun_there(writer: Engine, trust: Trust) -> Iterator[Connection]:
    """The same on a server."""
    from flask_app.round_trips import of_transaction  # as in `statements`

    with Taken(writer, trust) as connection, of_transaction(connection.info), connection.begin():
        yield connection


def _server_engine(url: str, reply_seconds: int, terms: dict[str, Any]) -> Engine:
    return create_engine(
        make_url(url).update_query_dict({"charset": "utf8mb4"}),
        poolclass=CountedPool,
        pool_size=6,
        max_overflow=4,
        pool_recycle=RECYCLE_SECONDS,
        connect_args={"read_timeout": reply_seconds, "write_timeout": reply_seconds, "init_command": _TERMS},
        hide_parameters=True,
        query_cache_size=COMPILED,
        **terms,
    )


def _begin(connection: Any) -> None:
    """Begin a transaction that writes, within `LOCK_SECONDS` where another process does."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(LOCK_POLL_SECONDS)


def keep_private(connection: Any) -> None:
    """An SQLite database is its account's alone, whatever folder it lies in; and so is what SQLite makes beside it."""
    (_, _, path), *_ = connection.execute("PRAGMA database_list")
    for file in (path, f"{path}-wal", f"{path}-shm") if path and os.name == "posix" else ():
        with suppress(OSError):  # not there, or somebody else's: `flask doctor` tells of those
            if os.stat(file).st_mode & OTHERS:  # noqa: PTH116
                os.chmod(file, 0o600)  # noqa: PTH101


def _sqlite_engine(url: str, *, pool_size: int, writes: bool = False) -> Engine:
    """One that reads begins no transactions, as `_READS` says of a server's: whoever wants several statements to see
    the same begins one (`transfer.store`). SQLite itself waits for locks.

    Where it `writes` the beginning of a transaction waits for them, asleep, and its COMMIT for the disk where that
    holds up nobody else.
    """
    made = create_engine(
        url,
        poolclass=CountedPool,
        pool_size=pool_size,
        max_overflow=10 if pool_size > 1 else 0,
        connect_args={"timeout": LOCK_SECONDS},
        hide_parameters=True,  # a failed statement is logged, and its parameters are people's words
        query_cache_size=COMPILED_SMALL,
    )

    # The driver is told to leave transactions alone (`prepare`): one begins here, or not at all.
    if writes:
        made.dialect.do_begin = _begin  # type: ignore[method-assign,assignment]
        made.dialect.do_commit = lambda connection: _wait_for_disk(connection.commit, (), {})  # type: ignore[method-assign,assignment]

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None
        keep_private(connection)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", CACHE):
            connection.execute(f"PRAGMA {pragma}")
        if writes:
            connection.execute("PRAGMA busy_timeout=0")

    return made
