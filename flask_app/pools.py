"""Connections to the database, counted: how many are in use, and how many threads wait."""

import threading
from types import TracebackType
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from flask_app import metrics


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


def count(engine: Engine) -> None:
    """Keep the number of the engine's connections in use."""

    @event.listens_for(engine, "checkout")
    def taken(*_: Any) -> None:
        metrics.CONNECTIONS.inc()

    @event.listens_for(engine, "checkin")
    def given_back(*_: Any) -> None:
        metrics.CONNECTIONS.dec()
