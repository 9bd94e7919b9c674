"""The application as one of several workers, and another one."""

from collections.abc import Iterator
from typing import Any

import pytest

from flask_app import streams
from flask_app.services.runs import run_service, stop_service
from flask_app.services.runs.run_service import WORKER
from flask_app.streams.redis.broker import RedisBroker
from tests.support.another_worker import Other
from tests.support.brokers import process, wait_until
from tests.support.redis_server import RedisServer


@pytest.fixture
def redis(running_redis: RedisServer) -> Iterator[RedisServer]:
    running_redis.empty()
    yield running_redis
    running_redis.resume()
    running_redis.start_again()


@pytest.fixture
def here(app: Any, redis: RedisServer) -> Iterator[RedisBroker]:
    """The application as one of several workers."""
    streams.connect(redis.url, WORKER)
    broker = streams.broker()
    assert isinstance(broker, RedisBroker)
    broker.attend(stop_service._nudged.set)
    wait_until(lambda: not broker.missing())
    yield broker
    run_service.shutdown()
    broker.close()
    streams.connect(None, WORKER)


@pytest.fixture
def other(here: RedisBroker, redis: RedisServer) -> Iterator[Other]:
    with process(redis) as broker:
        there = Other(broker, worker=broker._worker)
        broker.attend(there.nudged.set)
        yield there
