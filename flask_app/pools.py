"""Connections to the database, counted: how many are in use, and how many threads wait."""

import math
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from flask_app import metrics

# For so long after its last use a connection is taken to be there: a page takes one a dozen times, and asking first
# would double its round trips. A server that went away within it fails what is under way then, as it does anyway.
TRUSTED_SECONDS = 1.0
_RESTS_SINCE = "rests_since"  # monotonic seconds


class CountedPool(QueuePool):
    """Counts who waits for a connection, or for one to be made. What comes back after the end is closed, not kept."""

    _ended = False

    def connect(self) -> PoolProxiedConnection:
        with metrics.CONNECTIONS_AWAITED.track_inprogress():
            return super().connect()

    def dispose(self) -> None:
        self._ended = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        if self._ended:
            super().dispose()


class Turn:
    """The one writer's turn on SQLite, which the threads of a process take one after the other."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        with metrics.CONNECTIONS_AWAITED.track_inprogress():
            self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()


def ask_rested(*engines: Engine) -> None:
    """Have connections of one server say that they are there before they are used, if they have rested, or since one of
    any of the engines was lost; where one is not, all in its pool are made anew.

    `pool_pre_ping` would ask each time. To be called before `count`, which sees those that answered.
    """
    lost_at = -math.inf

    def note_loss(met: ExceptionContext) -> None:
        nonlocal lost_at
        if met.is_disconnect:
            lost_at = time.monotonic()

    def note_rest(_: object, record: ConnectionPoolEntry) -> None:
        record.info[_RESTS_SINCE] = time.monotonic()

    def needs_asking(record: ConnectionPoolEntry) -> bool:
        since = record.info.get(_RESTS_SINCE, math.inf)  # a new one has not rested yet
        return bool(since <= lost_at or time.monotonic() - since > TRUSTED_SECONDS)

    for engine in engines:
        event.listen(engine, "handle_error", note_loss)
        event.listen(engine, "checkin", note_rest)
        _ask(engine, needs_asking)


def _ask(engine: Engine, needs_asking: Callable[[ConnectionPoolEntry], bool]) -> None:
    @event.listens_for(engine, "checkout")
    def asked(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if not needs_asking(record):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def count(engine: Engine) -> None:
    """Keep the number of the engine's connections in use."""

    @event.listens_for(engine, "checkout")
    def taken(*_: Any) -> None:
        metrics.CONNECTIONS.inc()

    @event.listens_for(engine, "checkin")
    def given_back(*_: Any) -> None:
        metrics.CONNECTIONS.dec()
