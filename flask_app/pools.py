"""Connections to the database: how many are in use, how many threads wait, which are asked whether they are there, and
which are ready for whoever comes next.
"""

import math
import threading
import time
from types import TracebackType
from typing import Any, cast
from weakref import WeakSet

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from flask_app import metrics

# For so long after its last use a connection is taken to be there: a page takes one many times, and asking first each
# time would be many round trips more. A server that went away within it fails what is under way then, as it does
# anyway.
TRUSTED_SECONDS = 1.0
RECYCLE_SECONDS = 1800  # so old a server's connection is made anew once it comes back
_MADE_AT, _TAKEN_AT, _RESTS_SINCE, _IS_READY = "made_at", "taken_at", "rests_since", "is_ready"

Info = dict[Any, Any]  # what SQLAlchemy keeps for whoever asks, with each connection to a database


class CountedPool(QueuePool):
    """Counts who waits for one to come back, or to be made. What comes back after the end is closed, not kept.

    One that lies there is taken at once, but for being asked whether it has outlasted its rest. Some are not given back
    after use but `keep`: they are ready for the next `Taken`, until somebody comes for any.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ended = False
        self._coming: list[None] = []  # as many as have come for one and have none yet
        self._ready: list[Connection] = []

    def connect(self) -> PoolProxiedConnection:
        self._coming.append(None)
        try:
            self._give_back()
            if self.checkedin():  # there is one: nobody waits
                return super().connect()
            with metrics.CONNECTIONS_AWAITED.track_inprogress():
                return super().connect()
        finally:
            self._coming.pop()

    def ready(self) -> Connection | None:
        """One that was kept, the last first: what it has read and compiled is the freshest."""
        try:
            connection = self._ready.pop()
        except IndexError:
            return None
        metrics.CONNECTIONS.inc()
        return connection

    def keep(self, connection: Connection) -> None:
        """Have it ready, with no transaction; not while somebody waits in `connect`, who would not see it."""
        if connection.in_transaction():
            connection.rollback()
        if len(self._ready) >= self.size():
            connection.close()
            return
        metrics.CONNECTIONS.dec()
        connection.info[_IS_READY] = True
        self._ready.append(connection)
        if self._coming or self._ended:  # looked at afterwards: whoever comes now finds it
            self._give_back()

    def checkedout(self) -> int:
        return super().checkedout() - len(self._ready)

    def dispose(self) -> None:
        self._ended = True
        self._give_back()
        super().dispose()

    def _give_back(self) -> None:
        while (connection := self.ready()) is not None:
            connection.close()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        if self._ended:
            super().dispose()


class Taken:
    """A connection of an engine's that has a `CountedPool`, while the block runs: one that is ready, if any.

    To take one from the pool and give it back costs several times what SQLite does for most statements, and of a server
    a round trip. Where there is a `trust`, one that it does not cover goes back to be asked whether it is there. After
    an error it goes the usual way.
    """

    __slots__ = ("_connection", "_engine", "_pool", "_trust")

    def __init__(self, engine: Engine, trust: "Trust | None" = None) -> None:
        self._engine, self._trust = engine, trust

    def __enter__(self) -> Connection:
        self._pool = cast("CountedPool", self._engine.pool)
        self._connection = self._ready() or self._engine.connect()
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        connection = self._connection
        if kind is not None or connection.closed or connection.invalidated:
            connection.close()
            return
        if self._trust:
            self._trust.note_rest(connection.info)
        self._pool.keep(connection)

    def _ready(self) -> Connection | None:
        connection = self._pool.ready()
        if connection is None or self._trust is None:
            return connection
        info = connection.info
        if self._trust.covers(info):
            self._trust.note_taken(info)
            info.pop(_IS_READY)
            return connection
        connection.close()
        return None


class Turn:
    """The one writer's turn on SQLite, which the threads of a process take one after the other."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if self._lock.acquire(blocking=False):
            return
        with metrics.CONNECTIONS_AWAITED.track_inprogress():
            self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()


def spare_resets(engine: Engine) -> None:
    """Roll back what comes back to the engine's pool, made with no `pool_reset_on_return`, but for what was ready: of a
    server that is a round trip for nothing, and of one that has gone away since an error that nobody needs to see.

    One that was detached comes here too, without a record. It is closed next, and nobody uses it again.
    """

    @event.listens_for(engine, "reset")
    def reset(connection: DBAPIConnection, record: ConnectionPoolEntry | None, _: object) -> None:
        if record is not None and not record.info.pop(_IS_READY, False):
            connection.rollback()


def ask_rested(*engines: Engine) -> "Trust":
    """Have connections of one server say that they are there before they are used, if they have rested, were out for
    long, or since one of any of the engines was lost; where one is not, all in its pool are made anew.

    `pool_pre_ping` would ask each time. To be called before `count`, which sees those that answered.
    """
    trust = Trust()
    for engine in engines:
        event.listen(engine, "connect", lambda _, record: trust.note_made(record.info))
        event.listen(engine, "invalidate", lambda *_: trust.note_loss())
        event.listen(engine, "checkin", lambda _, record: trust.note_rest(record.info))
        _ask(engine, trust)
    return trust


class Trust:
    """When a connection was made, taken and given back, and when one was lost, all in monotonic seconds."""

    def __init__(self) -> None:
        self._lost_at = -math.inf

    def note_loss(self) -> None:
        self._lost_at = time.monotonic()

    def note_made(self, info: Info) -> None:
        info[_MADE_AT] = time.monotonic()

    def note_taken(self, info: Info) -> None:
        info[_TAKEN_AT] = time.monotonic()

    def note_rest(self, info: Info) -> None:
        """Nobody knows when one that was out for long was used last."""
        now, taken_at = time.monotonic(), info.get(_TAKEN_AT, -math.inf)
        is_fresh = taken_at > self._lost_at and now - taken_at <= TRUSTED_SECONDS
        info[_RESTS_SINCE] = now if is_fresh else -math.inf

    def covers(self, info: Info) -> bool:
        """A new one has not rested yet; the pool makes an old one anew that comes back."""
        now, since = time.monotonic(), info.get(_RESTS_SINCE, math.inf)
        return bool(since > self._lost_at and now - since <= TRUSTED_SECONDS and now - info[_MADE_AT] < RECYCLE_SECONDS)


def _ask(engine: Engine, trust: Trust) -> None:
    @event.listens_for(engine, "checkout")
    def taken(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if not trust.covers(record.info):
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                trust.note_loss()
                raise InvalidatePoolError from error
        trust.note_taken(record.info)


def count(engine: Engine) -> None:
    """Keep the number of the engine's connections in use."""
    in_use = WeakSet[ConnectionPoolEntry]()

    @event.listens_for(engine, "checkout")
    def taken(_: DBAPIConnection, record: ConnectionPoolEntry, __: object) -> None:
        in_use.add(record)
        metrics.CONNECTIONS.inc()

    @event.listens_for(engine, "checkin")
    def given_back(_: object, record: ConnectionPoolEntry) -> None:
        """A connection that could not be made is given back too, and was never taken."""
        if record in in_use:
            in_use.discard(record)
            metrics.CONNECTIONS.dec()
