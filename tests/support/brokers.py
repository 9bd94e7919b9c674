"""Brokers as processes have them, and what their readers see."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from flask_app.database import new_id
from flask_app.streams import Broker, Readable, RunLog
from flask_app.streams.lost import LogLost
from flask_app.streams.memory import MemoryBroker
from flask_app.streams.redis.broker import RedisBroker
from flask_app.streams.redis.mirror import Mirror
from tests.support.redis_server import RedisServer

PATIENCE = 30.0  # seconds, for what is there at once on a machine that has nothing else to do


def wait_until(reached: Callable[[], object], seconds: float = PATIENCE) -> None:
    began = time.monotonic()
    while not reached():
        waited = time.monotonic() - began
        assert waited < seconds, "waited in vain"
        time.sleep(0.02 + waited / 50)  # the longer, the more seldom: no more often than people may ask


@contextmanager
def process(redis: RedisServer) -> Iterator[RedisBroker]:
    """The broker of a process that has reached Redis."""
    broker = RedisBroker(redis.url, new_id())
    broker.attend(lambda: None)
    wait_until(lambda: not broker.missing())
    try:
        yield broker
    finally:
        broker.close()


@contextmanager
def pair(kind: str, redis: RedisServer) -> Iterator[tuple[Broker, Broker]]:
    """Where a run is made, and where it is read: the same process, or another that shares its Redis."""
    if kind == "memory":
        alone = MemoryBroker()
        yield alone, alone
        return
    with process(redis) as maker:
        if kind == "redis, same process":
            yield maker, maker
            return
        with process(redis) as reader:
            yield maker, reader


def mirrored(broker: RedisBroker, run_id: str) -> Mirror:
    """A mirror that has come as far as Redis."""
    found = None

    def has_begun() -> bool:
        nonlocal found
        found = broker.find(run_id)
        return isinstance(found, Mirror) and found.log.last > 0

    wait_until(has_begun)
    assert isinstance(found, Mirror)
    return found


KINDS = ("memory", "redis, same process", "redis, other process")


def frames_of(blocks: Iterable[bytes]) -> list[bytes]:
    """Single events, without the comments that keep a line alive."""
    return [frame for frame in b"".join(blocks).split(b"\n\n") if frame and not frame.startswith(b":")]


def numbers_of(frames: Iterable[bytes]) -> list[int]:
    return [int(frame.split(b"\n")[0].removeprefix(b"id: ")) for frame in frames]


def read_all(broker: Broker, run_id: str, after: int = 0, seconds: float = PATIENCE) -> list[bytes]:
    """What a reader gets who comes again whenever the log cannot be had, until its end."""
    blocks: list[bytes] = []
    deadline = time.monotonic() + seconds
    while True:
        assert time.monotonic() < deadline, "the log did not end"
        found = broker.find(run_id)
        if found is None:
            time.sleep(0.01)
            continue
        try:
            blocks += found.read(after)
            return frames_of(blocks)
        except LogLost as lost:
            after = lost.last
            time.sleep(0.01)


def following(log: Readable, after: int = 0) -> "Reader":
    reader = Reader(log, after)
    reader.thread.start()
    return reader


class Reader:
    """Reads a log on a thread of its own; `lost_at` is when it was told that nothing more can be had."""

    def __init__(self, log: Readable, after: int) -> None:
        self.blocks: list[bytes] = []
        self.lost: LogLost | None = None
        self.ended_at: float | None = None
        self.thread = threading.Thread(target=self._read, args=(log, after), daemon=True)

    @property
    def frames(self) -> list[bytes]:
        return frames_of(self.blocks)

    def _read(self, log: Readable, after: int) -> None:
        try:
            for block in log.read(after):
                self.blocks.append(block)
        except LogLost as lost:
            self.lost = lost
        self.ended_at = time.monotonic()

    def wait(self, seconds: float = PATIENCE) -> None:
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the reader still waits"


def write(log: RunLog, first: int, last: int, pause: float = 0.002) -> None:
    for number in range(first, last + 1):
        log.append("token", b"%d" % number)
        time.sleep(pause)
