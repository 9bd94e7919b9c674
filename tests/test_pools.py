"""The number of connections in use, as it is measured."""

import sqlite3

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError

from flask_app import metrics, pools
from flask_app.pools import CountedPool


def in_use() -> float:
    (sample,) = (sample for metric in metrics.CONNECTIONS.collect() for sample in metric.samples)
    return sample.value


def test_a_connection_that_cannot_be_made_anew_is_not_given_back_twice() -> None:
    is_away = False

    def connect() -> sqlite3.Connection:
        if is_away:
            raise sqlite3.OperationalError("away")
        return sqlite3.connect(":memory:", check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, poolclass=CountedPool, pool_size=1)
    pools.count(engine)
    before = in_use()
    with engine.connect() as connection:
        assert in_use() == before + 1
        connection.invalidate()
    is_away = True
    for _ in range(3):
        with pytest.raises(OperationalError):
            engine.connect()
    assert in_use() == before
    is_away = False
    with engine.connect():
        assert in_use() == before + 1
    assert in_use() == before
    engine.dispose()


def test_a_detached_connection_is_closed_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine("sqlite://", poolclass=CountedPool, pool_reset_on_return=None)
    pools.spare_resets(engine)
    closed: list[object] = []
    event.listen(engine, "close_detached", closed.append)
    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        connection.detach()
    assert closed == [driver]
    assert caplog.records == []
    engine.dispose()
