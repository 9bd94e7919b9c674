"""Windows that processes share: one limit for all, and never an open one when Redis is away."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from flask_app.domain.seen import NOTHING_SEEN, Seen
from flask_app.models import User
from flask_app.redis_client import PREFIX
from flask_app.services.sign_in import login_limits
from flask_app.services.site import redis_windows, windows
from flask_app.services.site.redis_windows import RedisWindows
from flask_app.services.site.windows import Rate, Windows
from tests.support.brokers import PATIENCE
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, login
from tests.support.redis_server import RedisServer

CALL_SECONDS = redis_windows.CALL_SECONDS


@pytest.fixture
def redis(app: Flask, running_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """All windows are counted in it, however slow it is to reply."""
    running_redis.empty()
    monkeypatch.setattr(redis_windows, "CALL_SECONDS", PATIENCE)
    windows.connect(running_redis.url)
    yield running_redis
    running_redis.resume()
    running_redis.start_again()
    windows.connect(None)


def two_processes(amount: int, seconds: int) -> tuple[Windows, Windows]:
    return Windows("test", Rate(amount, seconds)), Windows("test", Rate(amount, seconds))


def pass_by(seconds: int, redis: RedisServer, *processes: Windows) -> None:
    """As if what they have counted, there and here, were so much older."""
    for each in processes:
        window = each._windows.get("a")
        if window:
            window.moments = deque(moment - seconds for moment in window.moments)
    with redis.client() as client:
        (key,) = client.keys("*")
        moments: Any = client.lrange(key, 0, -1)
        for place, moment in enumerate(moments):
            client.lset(key, place, str(int(moment) - seconds * 1_000_000))


def test_processes_count_together(redis: RedisServer) -> None:
    first, second = two_processes(3, 60)
    assert [first.hit("a"), second.hit("a"), first.hit("a")] == [0, 0, 0]
    assert 30 <= first.hit("a") <= 60
    assert 30 <= second.hit("a") <= 60, "one that has not counted to the limit itself"
    assert second.hit("b") == 0


def test_a_process_tells_what_all_have_counted(redis: RedisServer) -> None:
    first, second = two_processes(3, 60)
    assert [first.count("a"), second.count("a")] == [Seen(0, 1, 60), Seen(0, 2, 60)]
    assert second.count("a") == Seen(0, 3, 60)
    full = second.count("a")
    assert (full.used, 0 < full.wait <= full.empties <= 60) == (3, True)
    assert first.count("a", Rate(2, 60)).used == 2, "of a smaller rate no more than there is of it"


def test_what_has_passed_out_of_a_shared_window_is_not_told(redis: RedisServer) -> None:
    first, second = both = two_processes(9, 120)
    first.count("a")
    pass_by(70, redis, *both)
    assert second.count("a").used == 2
    pass_by(60, redis, *both)
    assert first.count("a").used == 2
    pass_by(121, redis, *both)
    assert second.count("a") == Seen(0, 1, 120)


def test_looking_does_not_count(redis: RedisServer) -> None:
    first, second = two_processes(1, 60)
    assert [first.wait("a"), second.wait("a"), first.wait("a")] == [0, 0, 0]
    assert first.hit("a") == 0
    assert second.wait("a") > 0


def test_a_shared_window_moves_with_time(redis: RedisServer) -> None:
    first, second = both = two_processes(2, 120)
    first.hit("a")
    pass_by(60, redis, *both)
    first.hit("a")
    assert 30 <= second.hit("a") <= 60
    pass_by(61, redis, *both)
    assert second.hit("a") == 0
    assert 30 <= second.hit("a") <= 60


def test_hits_at_once_are_counted_exactly(redis: RedisServer) -> None:
    processes = [Windows("test", Rate(20, 60)) for _ in range(4)]
    passed: list[int] = []
    threads = [
        threading.Thread(target=lambda counting=counting: passed.extend(counting.hit("a") for _ in range(10)))
        for counting in processes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed.count(0) == 20
    assert len(passed) == 40


def test_names_are_not_kept_and_windows_expire(redis: RedisServer) -> None:
    Windows("test", Rate(5, 60)).hit("192.0.2.1")
    with redis.client() as client:
        (key,) = client.keys("*")
        assert key.startswith(f"{PREFIX}window:test:".encode())
        assert b"192" not in key
        assert 0 < client.ttl(key) <= 60


def test_a_clock_that_is_set_back_locks_nobody_out(redis: RedisServer) -> None:
    counting = Windows("test", Rate(1, 60))
    counting.hit("a")
    counting.clear()
    with redis.client() as client:
        (key,) = client.keys("*")
        client.lset(key, 0, str(int((time.time() + 3600) * 1_000_000)))
    assert counting.hit("a") == 0


def test_without_redis_each_process_keeps_its_own_limit(redis: RedisServer) -> None:
    first, second = two_processes(3, 60)
    first.hit("a")
    redis.kill()
    assert [first.hit("a"), first.hit("a")] == [0, 0]
    assert first.hit("a") > 0, "what it counted before is not forgotten"
    assert second.hit("a") == 0
    redis.start()
    time.sleep(2.1)
    assert second.hit("a") == 0
    with redis.client() as client:
        assert client.keys("*"), "it counts together again"


@pytest.fixture
def impatient(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_windows, "CALL_SECONDS", CALL_SECONDS)
    windows.connect(redis.url)


@pytest.mark.usefixtures("impatient")
def test_a_redis_that_hangs_delays_one_request_a_little(redis: RedisServer) -> None:
    counting = Windows("test", Rate(100, 60))
    counting.hit("a")
    redis.halt()
    waits = []
    for _ in range(20):
        asked = time.monotonic()
        assert counting.hit("a") == 0
        waits.append(time.monotonic() - asked)
    assert max(waits) < 5
    assert sorted(waits)[-3] < CALL_SECONDS, "most do not ask at all"


@pytest.mark.usefixtures("impatient")
def test_of_many_requests_one_finds_out_that_redis_is_back(redis: RedisServer) -> None:
    shared = RedisWindows(redis.url)
    redis.halt()
    assert shared.ask("test", "a", 1, 60, count=True) == NOTHING_SEEN
    assert [shared._may_ask() for _ in range(5)] == [False] * 5
    shared._quiet_until = 0
    assert [shared._may_ask() for _ in range(5)] == [True] + [False] * 4


@pytest.mark.security("guesses-limited")
def test_guesses_at_a_password_are_limited_over_all_workers(
    redis: RedisServer, app: Flask, client: PageClient, member: User
) -> None:
    for number in range(10):
        assert login(client, password=STRONG, address=f"192.0.2.{number}").status_code == 401
        login_limits.forget()  # as another worker, which has counted nothing itself
    assert login(new_client(app), address="192.0.2.99").status_code == 429
    redis.kill()
    assert login(new_client(app), password=STRONG, address="192.0.2.99").status_code in {401, 429}, "never a failure"
