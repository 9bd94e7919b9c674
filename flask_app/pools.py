"""Connections to the database, counted: how many are in use, and how many threads wait."""

import threading
import time
from types import TracebackType
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from flask_app import metrics

# For so long after its last use a connection is taken to be there: a page takes one a dozen times, and asking first
# would double its round trips. A server that went away within it fails what is under way then, as it does anyway.
TRUSTED_SECONDS = 1.0


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


def ask_rested(engine: Engine) -> None:
    """Have a connection that has rested say that it is there before it is used; else all in the pool are made anew.

    `pool_pre_ping` would ask each time. To be called before `count`, which sees those that answered.
    """

    @event.listens_for(engine, "checkin")
    def rests(_: object, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def asked(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since <= TRUSTED_SECONDS:
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
