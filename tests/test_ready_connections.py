"""What is read and written on SQLite with connections that are ready: none is in anybody's way, or left behind."""

import gc
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from flask_app import database, engines, metrics
from flask_app.database import fetching, in_writing, writing
from flask_app.pools import CountedPool
from flask_app.statements import execute
from tests.support.brokers import PATIENCE, wait_until

INSERT, COUNT = "INSERT INTO kept (word) VALUES ('word')", "SELECT count(*) FROM kept"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A database with one table, which the process is connected to."""
    file = tmp_path / "ready.db"
    database.connect(f"sqlite:///{file}")
    in_writing(lambda connection: execute(connection, "CREATE TABLE kept (word TEXT)"))
    yield file
    database.disconnect()


def driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def fetch() -> Any:
    with fetching() as connection:
        return driver(connection)


def write(connection: Connection) -> Any:
    execute(connection, INSERT)
    return driver(connection)


def count() -> int:
    with fetching() as connection:
        return int(execute(connection, COUNT).fetchall()[0][0])


def pool(engine: Any) -> CountedPool:
    assert isinstance(engine.pool, CountedPool)
    return engine.pool


def in_use() -> float:
    """As /metrics says; the pools must agree."""
    (sample,) = (sample for metric in metrics.CONNECTIONS.collect() for sample in metric.samples)
    return sample.value


def taken() -> int:
    return pool(database.engine()).checkedout() + pool(database.writer()).checkedout()


@pytest.mark.usefixtures("file")
def test_the_pool_is_asked_once_for_what_is_used_again_and_again() -> None:
    asked: list[object] = []
    database.disconnect()
    for engine in (database.engine(), database.writer()):
        event.listen(engine, "checkout", lambda *_: asked.append(None))
    assert fetch() is fetch() is fetch()
    assert in_writing(write) is in_writing(write) is in_writing(write, alone=True)
    assert len(asked) == 2
    assert count() == 3


@pytest.mark.usefixtures("file")
def test_what_is_ready_is_not_in_use() -> None:
    before = in_use()
    fetch()
    in_writing(write)
    assert (in_use() - before, taken()) == (0, 0)
    with fetching(), fetching() as inner, writing():
        assert (in_use() - before, taken()) == (3, 3)
        assert execute(inner, COUNT).fetchall() == [(1,)]
    assert (in_use() - before, taken()) == (0, 0)
    with database.reading() as session:
        session.execute(text(COUNT)).all()
        assert (in_use() - before, taken()) == (1, 1)
    with database.writer().connect():
        assert (in_use() - before, taken()) == (1, 1)
    assert (in_use() - before, taken()) == (0, 0)


@pytest.mark.usefixtures("file")
def test_no_more_are_ready_than_the_pool_would_keep() -> None:
    size = pool(database.engine()).size()
    with ExitStack() as many:
        drivers = {id(driver(many.enter_context(fetching()))) for _ in range(size + 5)}
    assert len(drivers) == size + 5
    with ExitStack() as many:
        again = [id(driver(many.enter_context(fetching()))) for _ in range(size)]
    assert {*again} < drivers
    assert taken() == 0


@pytest.mark.usefixtures("file")
def test_sessions_and_bare_connections_take_turns_at_the_one_that_writes() -> None:
    first = in_writing(write)
    with database.transaction() as session:
        session.execute(text(INSERT))
        assert driver(session.connection()) is first
    assert in_writing(write) is first
    with database.writer().begin() as connection:
        assert write(connection) is first
    assert count() == 4


@pytest.mark.usefixtures("file")
def test_who_waits_in_the_pool_gets_what_somebody_else_would_keep() -> None:
    with ThreadPoolExecutor(1) as thread, ExitStack() as held:
        held.enter_context(writing())
        waits = metrics.CONNECTIONS_AWAITED._value.get()
        waiter = thread.submit(lambda: database.writer().connect().close())
        wait_until(lambda: metrics.CONNECTIONS_AWAITED._value.get() > waits)
        held.close()
        waiter.result(PATIENCE)
    assert taken() == 0


@pytest.mark.usefixtures("file")
def test_many_threads_of_both_ways_all_get_theirs() -> None:
    """More than the pool has, all at once and again: nobody waits for one that lies ready."""
    start, before = threading.Barrier(30), in_use()

    def act(number: int) -> None:
        start.wait()
        for at in range(20):
            if (number + at) % 3 == 0:
                with database.reading() as session:
                    session.execute(text(COUNT)).all()
            elif (number + at) % 3 == 1:
                count()
            else:
                in_writing(write)

    with ThreadPoolExecutor(30) as threads:
        list(threads.map(act, range(30), timeout=60))
    assert count() == 200
    assert (in_use() - before, taken()) == (0, 0)


def test_nothing_is_left_open_at_the_end(file: Path) -> None:
    """Whoever closes SQLite's last connection brings all into the one file."""
    fetch()
    in_writing(write)
    assert Path(f"{file}-wal").exists()
    with fetching(), writing():
        database.disconnect()
    gc.collect()
    assert not Path(f"{file}-wal").exists()
    assert count() == 1, "another is made"
    database.disconnect()
    assert not Path(f"{file}-wal").exists()


def test_a_result_that_is_not_read_to_its_end_holds_nothing_up(file: Path) -> None:
    for _ in range(3):
        in_writing(write)
    with fetching() as connection:
        assert connection.execute(text("SELECT word FROM kept")).fetchone()
        assert connection.in_transaction()
    in_writing(write)
    assert count() == 4
    with closing(sqlite3.connect(file, timeout=0)) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    with fetching() as connection:
        assert not connection.in_transaction()


@pytest.mark.usefixtures("file")
def test_what_failed_goes_back_the_usual_way_and_leaves_no_transaction() -> None:
    def fail(connection: Connection) -> None:
        write(connection)
        raise LookupError

    with pytest.raises(LookupError):
        in_writing(fail)
    with pytest.raises(OperationalError), fetching() as connection:
        execute(connection, "SELECT nothing FROM nowhere")
    assert taken() == 0
    assert count() == 0
    assert not in_writing(write).in_transaction
    assert count() == 1


def test_another_processs_writer_is_waited_for_and_then_told_of(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "LOCK_SECONDS", 0.1)
    first = in_writing(write)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            in_writing(write)
        other.execute("ROLLBACK")
    assert in_writing(write) is first
    assert count() == 2


@pytest.mark.usefixtures("file")
def test_one_that_was_given_up_is_not_kept() -> None:
    first = fetch()
    with fetching() as connection:
        connection.invalidate()
    with fetching() as connection:
        connection.close()
    assert count() == 0
    assert fetch() is not first
    assert taken() == 0
