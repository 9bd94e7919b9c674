"""What every broker promises: no gap, no repeat, for any number of readers at any place, here and elsewhere."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import cast

import pytest

from flask_app.database import new_id
from flask_app.streams import Broker, RunLog, keeper, memory
from flask_app.streams.keeper import HEARTBEAT
from flask_app.streams.lost import LogLost
from flask_app.streams.redis import follower
from flask_app.streams.redis.broker import RedisBroker
from tests.support.brokers import KINDS, following, frames_of, mirrored, numbers_of, pair, read_all, wait_until
from tests.support.redis_server import RedisServer

Pair = tuple[Broker, Broker]


@pytest.fixture(params=KINDS)
def brokers(request: pytest.FixtureRequest, redis: RedisServer) -> Iterator[Pair]:
    """Where a run is made, and where it is read."""
    with pair(request.param, redis) as made:
        yield made


def fill(broker: Broker, count: int, *, pause: float = 0) -> str:
    run_id = new_id()
    log = broker.open(run_id)
    for number in range(1, count + 1):
        log.append("token", b'{"text":"%d"}' % number)
        if pause:
            time.sleep(random.random() * pause)
    log.finish()
    broker.flush()
    return run_id


def test_a_reader_gets_exactly_what_follows_its_last_event(brokers: Pair) -> None:
    made, read = brokers
    run_id = fill(made, 30)
    for after in range(35):
        assert numbers_of(read_all(read, run_id, after)) == list(range(after + 1, 31))


def test_events_come_in_the_words_they_were_written_in(brokers: Pair) -> None:
    made, read = brokers
    run_id = new_id()
    log = made.open(run_id)
    log.append("start", '{"title":"明聊\\n"}'.encode())
    log.append("done", b"{}")
    log.finish()
    made.flush()
    assert b"".join(frame + b"\n\n" for frame in read_all(read, run_id)) == (
        'id: 1\nevent: start\ndata: {"title":"明聊\\n"}\n\nid: 2\nevent: done\ndata: {}\n\n'.encode()
    )


@pytest.mark.parametrize("after", [0, 1, 57])
def test_readers_follow_while_it_is_written(brokers: Pair, after: int) -> None:
    made, read = brokers
    run_id = new_id()
    log = made.open(run_id)
    seen: list[list[bytes]] = []
    readers = [threading.Thread(target=lambda: seen.append(read_all(read, run_id, after, 30))) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 201):
        log.append("token", b"%d" % number)
        time.sleep(random.random() * 0.004)
    log.finish()
    for reader in readers:
        reader.join(30)
    assert [numbers_of(frames) for frames in seen] == [list(range(after + 1, 201))] * 3


def test_a_reader_that_comes_and_goes_misses_and_repeats_nothing(brokers: Pair) -> None:
    made, read = brokers
    run_id = new_id()
    log = made.open(run_id)
    writer = threading.Thread(target=_write_slowly, args=(log, 300))
    writer.start()
    had: list[bytes] = []
    wait_until(lambda: read.find(run_id))
    while not had or numbers_of(had)[-1] < 300:
        blocks = _some(read, run_id, len(had))
        had += frames_of(blocks)
    writer.join()
    assert numbers_of(had) == list(range(1, 301))


def _some(broker: Broker, run_id: str, after: int) -> list[bytes]:
    found, blocks = broker.find(run_id), list[bytes]()
    if found is not None:
        with suppress(LogLost):  # it has not reached Redis yet
            blocks += islice(found.read(after), 3)
    return blocks


def _write_slowly(log: RunLog, count: int) -> None:
    for number in range(count):
        log.append("token", b"%d" % number)
        time.sleep(0.002)
    log.finish()


def test_a_log_without_events_ends_too(brokers: Pair) -> None:
    made, read = brokers
    assert read_all(read, fill(made, 0)) == []


def test_silence_is_bridged_by_comments(brokers: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    made, read = brokers
    run_id = new_id()
    log = made.open(run_id)
    log.append("start", b"{}")
    found = made.find(run_id) if made is read else mirrored(cast("RedisBroker", read), run_id)
    assert found
    monkeypatch.setattr(follower, "HEARTBEAT_SECONDS", 0.02)
    reader = following(found)
    wait_until(lambda: reader.frames)

    def is_bridged() -> bool:
        """A reader that has not lain down again yet is not woken."""
        if isinstance(read, memory.MemoryBroker):
            read.beat()
        elif read is made:
            read._memory.beat()  # type: ignore[attr-defined]
        return reader.blocks[-1] == HEARTBEAT

    wait_until(is_bridged)
    log.finish()
    reader.wait()


def test_an_ended_log_expires(brokers: Pair, redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = brokers
    run_id = fill(made, 3)
    monkeypatch.setattr(keeper, "KEPT_SECONDS", -1)
    memory_broker = made if isinstance(made, memory.MemoryBroker) else made._memory  # type: ignore[attr-defined]
    memory_broker.beat()
    assert memory_broker.find(run_id) is None
    with redis.client() as client:
        assert all(0 < client.ttl(key) <= 60 for key in client.keys("*"))


def test_nobody_is_told_of_a_run_that_never_was(brokers: Pair) -> None:
    _, read = brokers
    found = read.find(new_id())
    if found is not None:
        reader = following(found)
        reader.wait()
        assert reader.lost
        assert reader.lost.last == 0


def test_a_process_that_ends_lets_the_readers_of_others_go(brokers: Pair) -> None:
    """Those of its own logs stay to their end."""
    made, read = brokers
    run_id = new_id()
    log = made.open(run_id)
    log.append("token", b"{}")
    made.flush()
    wait_until(lambda: read.find(run_id))
    reader = following(read.find(run_id))  # type: ignore[arg-type]  # it is there now
    wait_until(lambda: reader.frames)
    read.let_go()
    if made is read:
        log.append("done", b"{}")
        log.finish()
    reader.wait()
    assert (len(reader.frames), reader.lost is None) == ((2, True) if made is read else (1, False))
    assert made is read or read.find(run_id) is None
