"""What the server says of itself to machines that watch."""

import dataclasses
from collections.abc import Iterator

import pytest

from flask_app import config, streams
from flask_app.database import new_id
from flask_app.streams.redis.broker import RedisBroker
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.redis_server import RedisServer


@pytest.fixture
def shared(redis: RedisServer) -> Iterator[RedisServer]:
    """The application shares its logs over Redis."""
    streams.connect(redis.url, new_id())
    broker = streams.broker()
    assert isinstance(broker, RedisBroker)
    broker.attend(lambda: None)
    before = config.current()
    config.install(dataclasses.replace(before, redis_url=redis.url))
    yield redis
    config.install(before)
    redis.start_again()
    broker.close()
    streams.connect(None, new_id())


def test_one_worker_misses_nothing(client: PageClient) -> None:
    assert client.get("/readyz").json == {"status": "ok", "missing": [], "checks": {"database": "ok"}}


def test_readiness_tells_a_redis_that_is_gone_and_that_is_back(client: PageClient, shared: RedisServer) -> None:
    def said() -> object:
        reply = client.get("/readyz")
        assert reply.status_code == 200, "chat works from the database"
        return reply.json

    sound = {"status": "ok", "missing": [], "checks": {"database": "ok", "redis": "ok"}}
    wait_until(lambda: said() == sound)
    shared.kill()
    wait_until(
        lambda: said() == {"status": "degraded", "missing": ["redis"], "checks": {"database": "ok", "redis": "away"}}
    )
    shared.start()
    wait_until(lambda: said() == sound)


def test_the_system_page_tells_a_redis_that_is_gone(admin_client: PageClient, shared: RedisServer) -> None:
    def said() -> set[str]:
        reply = admin_client.get("/api/admin/system")
        return {check["code"] for check in reply.get_json()["checks"]}

    wait_until(lambda: "redis_ok" in said())
    shared.kill()
    wait_until(lambda: "redis_away" in said())
