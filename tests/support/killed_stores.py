"""Where `killed_calls` reads from: the application's own clients, and careless ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import pymysql  # type: ignore[import-untyped]
from redis import Connection, Redis
from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import make_url

from flask_app import database
from flask_app.database import fetching, reading, transaction, writing
from flask_app.models import Setting
from flask_app.pools import CountedPool
from flask_app.redis_client import client
from flask_app.statements import Act, Prepared, Query, run_together

Read = Callable[[list[str]], list[str]]
_KEEP = Prepared(update(Setting).where(Setting.name == bindparam("tag")).values(value=Setting.value))
_VALUE = Query(select(Setting.value).where(Setting.name == bindparam("tag")))


class Store(Protocol):
    """`in_use`: connections the pool has lent; `open`: those the server has beside the idle ones of the pool."""

    reads: list[Read]

    def keep(self, values: dict[str, str]) -> None: ...

    def in_use(self) -> int: ...

    def open(self) -> int: ...


def connect(kind: str, url: str, port: int, *, careless: bool) -> Store:
    """`url` is the server itself, `port` the slow way to it."""
    if kind == "redis":
        return RedisStore(url, port, careless=careless)
    return CarelessMariaDB(url, port) if careless else MariaDBStore(url, port)


class RedisStore:
    def __init__(self, url: str, port: int, *, careless: bool) -> None:
        self._direct = Redis.from_url(url, protocol=2)
        self._redis = client(f"redis://127.0.0.1:{port}/0", seconds=5)
        self.reads: list[Read] = [self._one_by_one, self._in_pipeline, self._in_script]
        if careless:
            Connection.disconnect = lambda *_, **__: None  # type: ignore[method-assign]
            Connection.can_read = lambda *_, **__: False  # type: ignore[method-assign]

    def keep(self, values: dict[str, str]) -> None:
        self._direct.mset(values)

    def in_use(self) -> int:
        return len(self._redis.connection_pool._in_use_connections)

    def open(self) -> int:
        return len(self._direct.client_list()) - 1 - len(self._redis.connection_pool._available_connections)

    def _one_by_one(self, tags: list[str]) -> list[str]:
        return [_text(self._redis.get(tag)) for tag in tags]

    def _in_pipeline(self, tags: list[str]) -> list[str]:
        pipeline = self._redis.pipeline(transaction=False)
        for tag in tags:
            pipeline.get(tag)
        return [_text(reply) for reply in pipeline.execute()]

    def _in_script(self, tags: list[str]) -> list[str]:
        return [_text(reply) for reply in self._redis.eval("return redis.call('MGET', unpack(KEYS))", len(tags), *tags)]


class MariaDBStore:
    def __init__(self, url: str, port: int) -> None:
        self._url = url
        database.connect(make_url(url).set(port=port).render_as_string(hide_password=False))
        self.reads: list[Read] = [
            *(self._in_session, self._on_connection, self._in_plain_words),
            *(self._in_transaction, self._after_writing_together),
        ]

    def keep(self, values: dict[str, str]) -> None:
        with transaction() as session:
            session.add_all(Setting(name=tag, value=value) for tag, value in values.items())

    def in_use(self) -> int:
        return sum(pool.checkedout() for pool in self._pools())

    def open(self) -> int:
        with _direct(self._url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM information_schema.processlist WHERE user = 'root'")
            (count,) = cursor.fetchone()
        return int(count) - 1 - sum(pool.checkedin() + len(pool._ready) for pool in self._pools())

    def _pools(self) -> Iterator[CountedPool]:
        for engine in (database.engine(), database.writer()):
            assert isinstance(engine.pool, CountedPool)
            yield engine.pool

    def _in_session(self, tags: list[str]) -> list[str]:
        with reading() as session:
            return [session.get_one(Setting, tag).value for tag in tags]

    def _on_connection(self, tags: list[str]) -> list[str]:
        with fetching() as connection:
            return [connection.execute(_value_of(tag)).scalar_one() for tag in tags]

    def _in_plain_words(self, tags: list[str]) -> list[str]:
        """As the token path reads."""
        with writing() as connection:
            return [_VALUE.value(connection, {"tag": tag}) or "" for tag in tags]

    def _after_writing_together(self, tags: list[str]) -> list[str]:
        """In the order of `_in_transaction`."""
        with writing() as connection:
            run_together(connection, Act(_KEEP, [{"tag": tag} for tag in sorted(tags)]))
            return [_VALUE.value(connection, {"tag": tag}) or "" for tag in tags]

    def _in_transaction(self, tags: list[str]) -> list[str]:
        """Each row by its primary key, in one order: two that met would only wait for each other."""
        with transaction() as session:
            for tag in sorted(tags):
                session.execute(update(Setting).where(Setting.name == tag).values(value=Setting.value))
            return [session.execute(_value_of(tag)).scalar_one() for tag in tags]


class CarelessMariaDB:
    """Connections in a list: those that failed are dropped, those whose reader was killed are put back."""

    def __init__(self, url: str, port: int) -> None:
        pymysql.connections.Connection._force_close = lambda _: None
        pymysql.connections.Connection.__del__ = lambda _: None
        self._url, self._port, self._idle = url, port, list[Any]()
        self.reads: list[Read] = [self._read]

    def keep(self, values: dict[str, str]) -> None:
        with _direct(self._url) as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO settings (name, value) VALUES (%s, %s)", list(values.items()))
            connection.commit()

    def in_use(self) -> int:
        return 0

    def open(self) -> int:
        return 0

    def _read(self, tags: list[str]) -> list[str]:
        connection = self._idle.pop() if self._idle else _connection(self._url, self._port)
        keep = True
        try:
            with connection.cursor() as cursor:
                return [self._value(cursor, tag) for tag in tags]
        except Exception:
            keep = False
            raise
        finally:
            if keep:
                self._idle.append(connection)

    def _value(self, cursor: Any, tag: str) -> str:
        cursor.execute("SELECT value FROM settings WHERE name = %s", tag)
        (value,) = cursor.fetchone()
        return str(value)


def _text(reply: Any) -> str:
    return reply.decode() if isinstance(reply, bytes) else repr(reply)


def _value_of(tag: str) -> Any:
    return select(Setting.value).where(Setting.name == tag)


@contextmanager
def _direct(url: str) -> Iterator[Any]:
    connection = _connection(url, make_url(url).port)
    try:
        yield connection
    finally:
        connection.close()


def _connection(url: str, port: int | None) -> Any:
    return pymysql.connect(user="root", host="127.0.0.1", port=port, database=make_url(url).database)
