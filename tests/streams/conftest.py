"""A Redis that breaks, and two processes that share answers over it."""

from collections.abc import Iterator

import pytest

from flask_app.streams.redis.broker import RedisBroker
from tests.support.brokers import process
from tests.support.redis_server import RedisServer


@pytest.fixture
def redis(running_redis: RedisServer) -> Iterator[RedisServer]:
    running_redis.empty()
    yield running_redis
    running_redis.resume()
    running_redis.start_again()


@pytest.fixture
def maker(redis: RedisServer) -> Iterator[RedisBroker]:
    with process(redis) as broker:
        yield broker


@pytest.fixture
def reader(redis: RedisServer) -> Iterator[RedisBroker]:
    with process(redis) as broker:
        yield broker
