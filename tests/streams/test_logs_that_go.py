"""Logs that are forgotten, ended or withdrawn leave nothing in Redis, and do not come back."""

import time
from typing import Any

import pytest
from redis import Redis

from flask_app.database import new_id
from flask_app.streams.redis import entries, mirror, shared_log
from flask_app.streams.redis.broker import RedisBroker
from tests.support.brokers import following, mirrored, wait_until, write
from tests.support.redis_server import RedisServer


@pytest.mark.security("deleted-is-gone")
def test_a_forgotten_log_is_gone_and_does_not_come_back(
    redis: RedisServer, maker: RedisBroker, reader: RedisBroker
) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    write(log, 1, 5)
    mirrored(reader, run_id)
    maker.forget([run_id])
    with redis.client() as client:
        wait_until(lambda: not words_in(client, run_id))
        write(log, 6, 9)
        log.finish()
        maker.flush()
        time.sleep(0.2)
        assert not words_in(client, run_id)


def words_in(client: Redis, run_id: str) -> bytes:
    """What Redis holds of a run's events."""
    kept: Any = client.xrange(entries.key_of(run_id))
    return b"".join(fields[b"f"] for _, fields in kept)


def test_a_log_that_another_process_forgets_is_not_written_again(
    redis: RedisServer, maker: RedisBroker, reader: RedisBroker
) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    write(log, 1, 5)
    follower = following(mirrored(reader, run_id))
    reader.forget([run_id])
    follower.wait()
    assert follower.lost
    write(log, 6, 9)
    log.finish([("error", b"{}")])
    maker.flush()
    with redis.client() as client:
        assert not words_in(client, run_id)
        assert 0 < client.ttl(entries.key_of(run_id)) <= entries.KEPT_SECONDS


def test_a_log_that_is_not_there_is_forgotten_without_a_trace(redis: RedisServer, maker: RedisBroker) -> None:
    maker.forget([new_id()])
    maker.forget([])
    maker.flush()
    with redis.client() as client:
        assert not client.keys(entries.key_of("*").decode())


def test_logs_that_ended_while_redis_was_away_do_not_pile_up(
    redis: RedisServer, maker: RedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "KEPT_SECONDS", 0.2)
    redis.kill()
    ended = [maker.open(new_id()) for _ in range(20)]
    for log in ended:
        write(log, 1, 5, pause=0)
        log.finish()
    going_on = new_id()
    write(maker.open(going_on), 1, 5, pause=0)
    wait_until(lambda: list(maker._writer._logs) == [going_on])


def test_a_log_beyond_the_bound_is_withdrawn(
    redis: RedisServer, maker: RedisBroker, reader: RedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_log, "MOST_SHARED_BYTES", 10_000)
    run_id = new_id()
    log = maker.open(run_id)
    with redis.client() as client:
        log.append("token", b"x" * 20_000)
        wait_until(lambda: client.exists(entries.key_of(run_id)))
        log.append("token", b"y")
        wait_until(lambda: not client.exists(entries.key_of(run_id)))
    log.finish()
    found = reader.find(run_id)
    assert found
    follower = following(found)
    follower.wait()
    assert follower.lost


def test_mirrors_nobody_reads_are_dropped(
    maker: RedisBroker, reader: RedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = new_id()
    log = maker.open(run_id)
    write(log, 1, 5)
    first = mirrored(reader, run_id)
    follower = following(first)
    wait_until(lambda: follower.frames)
    monkeypatch.setattr(mirror, "UNREAD_SECONDS", 0)
    time.sleep(0.7)
    assert not first.is_lost, "somebody reads it"
    log.finish()
    follower.wait()
    wait_until(lambda: reader._follower._mirrors == {})
