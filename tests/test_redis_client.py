"""A call to Redis that was cut off takes its connection with it."""

import json
import subprocess
import sys

import pytest

from flask_app.config import ConfigError
from flask_app.redis_client import SLOWEST_RETRY_SECONDS, client, retry_after
from tests.support.redis_server import RedisServer


def counts(redis: RedisServer, *options: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.support.killed_calls", str(redis.port), *options]
    ran = subprocess.run(command, capture_output=True, check=True, timeout=120)
    counted: dict[str, int] = json.loads(ran.stdout)
    return counted


def test_killed_calls_leave_their_replies_to_nobody(redis: RedisServer) -> None:
    counted = counts(redis)
    assert counted["crossed"] == 0
    assert counted["cut"] > 200
    assert counted["right"] > 200


def test_a_careless_client_would_be_caught(redis: RedisServer) -> None:
    assert counts(redis, "--careless")["crossed"] > 0


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
