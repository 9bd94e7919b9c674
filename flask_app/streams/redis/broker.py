"""Event logs shared over Redis: kept in this process's memory, written behind, and mirrored from other processes."""

from collections.abc import Callable, Sequence

from flask_app.redis_client import client
from flask_app.streams.memory import MemoryBroker, MemoryLog
from flask_app.streams.redis import entries
from flask_app.streams.redis.follower import Follower
from flask_app.streams.redis.mirror import Mirror
from flask_app.streams.redis.writer import Writer

CALL_SECONDS = 1.0  # to connect, and to reply


class RedisBroker:
    """The broker of one of several processes. Only its two threads ever speak to Redis."""

    def __init__(self, url: str, worker: str) -> None:
        self._worker = worker
        self._memory = MemoryBroker()
        self._writer = Writer(client(url, seconds=CALL_SECONDS))
        self._follower = Follower(client(url, seconds=CALL_SECONDS), worker, self._call_follower)

    def open(self, run_id: str) -> MemoryLog:
        log = self._memory.open(run_id)
        self._writer.share(run_id, log)
        return log

    def find(self, run_id: str) -> MemoryLog | Mirror | None:
        return self._memory.find(run_id) or self._follower.follow(run_id)

    def end(self, run_id: str, event: str, payload: bytes) -> None:
        self._writer.post(entries.seal_for(entries.key_of(run_id), event, payload))

    def forget(self, run_ids: Sequence[str]) -> None:
        self._memory.forget(run_ids)
        self._writer.forget(run_ids)

    def attend(self, look: Callable[[], None]) -> None:
        self._follower.attend(look)

    def nudge(self, worker: str) -> None:
        for letter in entries.letters(worker, entries.STOP):
            self._writer.post(letter)

    def missing(self) -> list[str]:
        return [] if self._follower.connected and not self._writer.is_failing else ["redis"]

    def let_go(self) -> None:
        self._follower.let_go()

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        """End both threads."""
        self._writer.close()
        self._follower.close()

    def _call_follower(self) -> None:
        for letter in entries.letters(self._worker, entries.READER):
            self._writer.post(letter)
