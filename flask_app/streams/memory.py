"""Event logs in this process: enough for one worker."""

import threading
import time
from collections.abc import Iterator

HEARTBEAT_SECONDS = 15  # a reader that has gone is noticed only by writing to it
KEPT_SECONDS = 60  # after the end, for readers that lost the last events
HEARTBEAT = b": ping\n\n"


class MemoryLog:
    """Readers wait on one condition and take all that is new in one piece.

    Events count on from `numbered_from`.
    """

    __slots__ = ("_changed", "_frames", "_numbered_from", "ended_at")

    def __init__(self, numbered_from: int = 0) -> None:
        self._numbered_from = numbered_from
        self._changed = threading.Condition(threading.Lock())
        self._frames: list[bytes] = []
        self.ended_at: float | None = None

    def append(self, event: str, payload: bytes) -> None:
        frames = self._frames
        number = self._numbered_from + len(frames) + 1
        frames.append(b"id: %d\nevent: %b\ndata: %b\n\n" % (number, event.encode(), payload))
        with self._changed:
            self._changed.notify_all()

    def finish(self) -> None:
        with self._changed:
            self.ended_at = time.monotonic()
            self._changed.notify_all()

    def read(self, after: int = 0) -> Iterator[bytes]:
        frames, position = self._frames, max(after - self._numbered_from, 0)
        while True:
            with self._changed:
                woken = len(frames) > position or self.ended_at is not None or self._changed.wait(HEARTBEAT_SECONDS)
            if (end := len(frames)) > position:
                yield frames[position] if end == position + 1 else b"".join(frames[position:end])
                position = end
            elif self.ended_at is not None:
                return
            elif not woken:
                yield HEARTBEAT


class MemoryBroker:
    """All logs of this process; those that ended a while ago are dropped when a new one opens."""

    def __init__(self) -> None:
        self._logs: dict[str, MemoryLog] = {}

    def open(self, run_id: str) -> MemoryLog:
        self._drop_expired()
        log = self._logs[run_id] = MemoryLog()
        return log

    def find(self, run_id: str) -> MemoryLog | None:
        return self._logs.get(run_id)

    def _drop_expired(self) -> None:
        limit = time.monotonic() - KEPT_SECONDS
        for run_id, log in list(self._logs.items()):
            if log.ended_at is not None and log.ended_at < limit:
                del self._logs[run_id]
