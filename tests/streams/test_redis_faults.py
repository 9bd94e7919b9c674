"""Redis emptied, killed, hung, full or slow to reply; workers that die or come back from the dead."""

import time
from itertools import islice
from typing import Any

import pytest

from flask_app.database import new_id
from flask_app.streams.memory import MemoryLog
from flask_app.streams.redis import entries, shared_log
from flask_app.streams.redis.broker import CALL_SECONDS, RedisBroker
from flask_app.streams.redis.shared_log import SharedLog
from tests.support.brokers import following, frames_of, mirrored, numbers_of, process, read_all, wait_until, write
from tests.support.redis_server import RedisServer

SOON = 10  # seconds: two on a machine that has nothing else to do


def test_an_emptied_redis_is_filled_again_from_memory(
    redis: RedisServer, maker: RedisBroker, reader: RedisBroker
) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    write(log, 1, 50)
    follower = following(mirrored(reader, run_id))
    for last in (100, 150, 200):
        redis.empty()
        write(log, last - 49, last)
    log.finish()
    follower.wait()
    assert follower.lost is None
    assert numbers_of(follower.frames) == list(range(1, 201))
    with process(redis) as newcomer:
        assert numbers_of(read_all(newcomer, run_id, 20)) == list(range(21, 201))


def test_a_silent_run_is_written_again_too(
    redis: RedisServer, maker: RedisBroker, reader: RedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_log, "REFRESHED_SECONDS", 0.2)
    run_id = new_id()
    write(maker.open(run_id), 1, 5)
    mirrored(reader, run_id)
    redis.empty()
    with redis.client() as client:
        wait_until(lambda: client.exists(entries.key_of(run_id)))


def test_a_redis_that_dies_lets_its_readers_go_and_has_them_again(
    redis: RedisServer, maker: RedisBroker, reader: RedisBroker
) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    write(log, 1, 50)
    follower = following(mirrored(reader, run_id))
    wait_until(lambda: follower.frames)
    redis.kill()
    follower.wait(SOON)
    assert follower.lost
    assert reader.missing() == ["redis"]
    assert reader.find(run_id) is None
    write(log, 51, 100)
    redis.start()
    wait_until(lambda: not reader.missing())
    log.finish()
    rest = read_all(reader, run_id, follower.lost.last)
    assert numbers_of(follower.frames + rest) == list(range(1, 101))


def test_a_process_that_starts_without_redis_finds_it_later(redis: RedisServer) -> None:
    redis.kill()
    broker, run_id = RedisBroker(redis.url, new_id()), new_id()
    broker.attend(lambda: None)
    try:
        log = broker.open(run_id)
        write(log, 1, 20)
        assert broker.missing() == ["redis"]
        assert numbers_of(frames_of(islice(log.read(), 1))) == list(range(1, 21)), "readers here notice nothing"
        redis.start()
        wait_until(lambda: not broker.missing())
        log.finish()
        with process(redis) as reader:
            assert numbers_of(read_all(reader, run_id)) == list(range(1, 21))
    finally:
        broker.close()


def test_a_redis_that_takes_no_writes_is_left_for_the_one_in_its_place(
    redis: RedisServer, maker: RedisBroker, reader: RedisBroker
) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    write(log, 1, 5)
    mirrored(reader, run_id)
    with redis.client() as client:
        connection = str(maker._writer._redis.client_id())
        client.replicaof("127.0.0.1", "1")
        write(log, 6, 9)
        wait_until(lambda: connection not in {told["id"] for told in client.client_list()})
        client.replicaof("NO", "ONE")
    log.finish()
    assert numbers_of(read_all(reader, run_id)) == list(range(1, 10))


def test_a_redis_that_is_set_back_makes_no_gap(redis: RedisServer, maker: RedisBroker, reader: RedisBroker) -> None:
    """As where a replica that lagged behind takes over: what was written meanwhile is missing in the middle."""
    run_id = new_id()
    log, key = maker.open(run_id), entries.key_of(run_id)
    with redis.client() as client:

        def has_come_to(number: int) -> bool:
            newest: Any = client.xrevrange(key, count=1)
            return bool(newest) and entries.number_of(newest[0][0]) == number

        write(log, 1, 20)
        wait_until(lambda: has_come_to(20))
        earlier: Any = client.dump(key)
        write(log, 21, 40)
        wait_until(lambda: has_come_to(40))
        client.restore(key, 0, earlier, replace=True)
        write(log, 41, 60)
        wait_until(lambda: has_come_to(60))
    found = reader.find(run_id)
    assert found
    follower = following(found)
    follower.wait()
    assert numbers_of(follower.frames) == list(range(1, 21))
    assert follower.lost
    assert follower.lost.last == 20


def test_a_redis_that_hangs_stalls_nobody(redis: RedisServer, maker: RedisBroker, reader: RedisBroker) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    write(log, 1, 50)
    follower = following(mirrored(reader, run_id))
    wait_until(lambda: follower.frames)
    redis.halt()
    halted = time.monotonic()
    write(log, 51, 150, pause=0)
    maker.nudge("somebody")
    maker.end(new_id(), "error", b"{}")
    other = maker.open(new_id())
    other.append("start", b"{}")
    assert time.monotonic() - halted < CALL_SECONDS, "nobody waited for a reply"
    follower.wait(SOON)
    assert follower.lost
    redis.resume()
    log.finish()
    rest = read_all(reader, run_id, follower.lost.last)
    assert numbers_of(follower.frames + rest) == list(range(1, 151))


def test_what_redis_refuses_for_want_of_memory_comes_later(
    redis: RedisServer, maker: RedisBroker, reader: RedisBroker
) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    write(log, 1, 50)
    follower = following(mirrored(reader, run_id))
    with redis.client() as client:
        client.config_set("maxmemory", "1kb")
        write(log, 51, 100)
        wait_until(lambda: maker.missing() == ["redis"])
        client.config_set("maxmemory", "0")
    write(log, 101, 120)
    wait_until(lambda: not maker.missing())
    log.finish()
    follower.wait()
    assert numbers_of(follower.frames) == list(range(1, 121))


def test_entries_whose_replies_were_lost_are_not_told_twice(redis: RedisServer, reader: RedisBroker) -> None:
    run_id, source = new_id(), MemoryLog()
    shared = SharedLog(run_id, source)
    write(source, 1, 10, pause=0)
    with redis.client() as client:
        _send(client, shared, lost=True)
        follower = following(mirrored(reader, run_id))
        write(source, 11, 15, pause=0)
        _send(client, shared, lost=True)
        _send(client, shared)
        source.finish()
        while not shared.done:
            _send(client, shared)
    follower.wait()
    assert numbers_of(follower.frames) == list(range(1, 16))


def _send(client: object, shared: SharedLog, *, lost: bool = False) -> None:
    pipeline = client.pipeline(transaction=False)  # type: ignore[attr-defined]
    steps = shared.steps(time.monotonic())
    for command, _ in steps:
        pipeline.execute_command(*command)
    for (_, take), reply in zip(steps, pipeline.execute(raise_on_error=False), strict=True):
        if not lost:
            take(reply)


def test_a_long_log_comes_in_several_entries(redis: RedisServer, maker: RedisBroker, reader: RedisBroker) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    for _ in range(100):
        log.append("token", b"x" * 20_000)
    log.finish()
    assert numbers_of(read_all(reader, run_id)) == list(range(1, 101))
    with redis.client() as client:
        assert client.xlen(entries.key_of(run_id)) > 5
