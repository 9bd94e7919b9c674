"""Runs of real other processes: followed, and ended for their readers when the process dies or comes back."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flask_app.database import new_id
from flask_app.streams.redis import entries, writer
from flask_app.streams.redis.broker import RedisBroker
from tests.support.brokers import following, mirrored, numbers_of, process, read_all
from tests.support.redis_server import RedisServer


@pytest.fixture
def reader(redis: RedisServer) -> Iterator[RedisBroker]:
    with process(redis) as broker:
        yield broker


@contextmanager
def another_process(redis: RedisServer, run_id: str, count: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.support.broker_process", redis.url, run_id, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        try:
            assert running.stdout
            assert running.stdout.readline() == b"begun\n"
            yield running
        finally:
            running.kill()


def test_a_run_of_another_process_is_followed_from_any_place(redis: RedisServer, reader: RedisBroker) -> None:
    assert writer.EVERY_SECONDS <= 0.1, "what a reader elsewhere hears is no older"
    run_id = new_id()
    with another_process(redis, run_id, 300):
        assert numbers_of(read_all(reader, run_id, 25)) == list(range(26, 301))


def test_the_log_of_a_killed_process_is_ended_for_its_readers(redis: RedisServer, reader: RedisBroker) -> None:
    run_id = new_id()
    with another_process(redis, run_id, 10_000) as running:
        follower = following(mirrored(reader, run_id))
        running.kill()
        running.wait()
        reader.end(run_id, "error", b'{"code":"interrupted"}')
        reader.end(run_id, "error", b'{"code":"twice"}')
        follower.wait()
    assert follower.lost is None
    numbers = numbers_of(follower.frames)
    assert numbers == list(range(1, len(numbers) + 1))
    assert follower.frames[-1].endswith(b'event: error\ndata: {"code":"interrupted"}')
    assert [b"event: error" in frame for frame in follower.frames].count(True) == 1


def test_a_process_that_comes_back_adds_nothing_to_a_log_that_was_ended(
    redis: RedisServer, reader: RedisBroker
) -> None:
    run_id = new_id()
    with another_process(redis, run_id, 10_000) as running:
        follower = following(mirrored(reader, run_id))
        running.send_signal(signal.SIGSTOP)
        reader.end(run_id, "error", b'{"code":"interrupted"}')
        follower.wait()
        with redis.client() as client:
            length = client.xlen(entries.key_of(run_id))
            running.send_signal(signal.SIGCONT)
            time.sleep(0.5)
            assert client.xlen(entries.key_of(run_id)) == length
        again = read_all(reader, run_id)
    assert again == follower.frames
    assert again[-1].endswith(b'data: {"code":"interrupted"}')
