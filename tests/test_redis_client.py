"""A call to Redis that was cut off takes its connection with it."""

import pytest

from flask_app.errors import ConfigError
from flask_app.redis_client import SLOWEST_RETRY_SECONDS, client, retry_after
from tests.support import cut_off
from tests.support.redis_server import RedisServer


@pytest.mark.security("crossed-replies")
def test_killed_calls_leave_their_replies_to_nobody(redis: RedisServer) -> None:
    cut_off.assert_nobody_got_anothers(cut_off.counts("redis", redis.url))


def test_a_careless_client_would_be_caught(redis: RedisServer) -> None:
    assert cut_off.counts("redis", redis.url, "--careless")["crossed"] > 0


@pytest.mark.parametrize("url", ["redis://:canary@host:port/0", "redis://[::1/0"])
def test_an_address_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL cannot be read") as complaint:
        client(url, seconds=1)
    assert "canary" not in str(complaint.value)


def test_tries_again_come_slower_and_not_all_at_once() -> None:
    waits = [retry_after(failures) for failures in range(1, 20)]
    assert max(waits) <= SLOWEST_RETRY_SECONDS
    assert waits[-1] > waits[0]
    assert len({retry_after(9) for _ in range(5)}) > 1
