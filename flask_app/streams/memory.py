"""Event logs in this process: enough for one worker."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator

HEARTBEAT_SECONDS = 10  # a reader that has gone is noticed only by writing to it, so silence is broken
KEPT_SECONDS = 60  # after the end, for readers that lost the last events
HEARTBEAT = b": ping\n\n"


class MemoryLog:
    """Readers that have all there is sleep on a lock of their own; whoever adds something releases them.

    A condition would do the same, but under gevent each notification of one costs a switch to the hub and each
    wait a timer: a quarter of a token's price. Events count on from `numbered_from`.
    """

    __slots__ = ("_frames", "_guard", "_numbered_from", "_sleepers", "ended_at")

    def __init__(self, numbered_from: int = 0) -> None:
        self._numbered_from = numbered_from
        self._guard = threading.Lock()
        self._sleepers: list[threading.Lock] = []
        self._frames: list[bytes] = []
        self.ended_at: float | None = None

    def append(self, event: str, payload: bytes) -> None:
        frames = self._frames
        number = self._numbered_from + len(frames) + 1
        frames.append(b"id: %d\nevent: %b\ndata: %b\n\n" % (number, event.encode(), payload))
        self.wake()

    @property
    def last(self) -> int:
        """The number of the last event; where there is none, the one before the first."""
        return self._numbered_from + len(self._frames)

    def since(self, number: int) -> list[bytes]:
        """The events after event `number` that are there now."""
        return self._frames[number - self._numbered_from :]

    def extend(self, frames: Iterable[bytes]) -> None:
        """Add events that have their numbers already: those that follow the last."""
        self._frames.extend(frames)
        self.wake()

    def finish(self) -> None:
        self.ended_at = time.monotonic()
        self.wake()

    def wake(self) -> None:
        """Let the sleeping readers look again; one that finds nothing new sends a comment."""
        with self._guard:
            sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            sleeper.release()

    def read(self, after: int = 0) -> Iterator[bytes]:
        frames, position = self._frames, max(after - self._numbered_from, 0)
        asleep = threading.Lock()
        asleep.acquire()
        while True:
            woken = self._sleep(asleep, position)
            if (end := len(frames)) > position:
                yield frames[position] if end == position + 1 else b"".join(frames[position:end])
                position = end
            elif self.ended_at is not None:
                return
            elif woken:
                yield HEARTBEAT

    def _sleep(self, asleep: threading.Lock, position: int) -> bool:
        """Wait for a wake, unless there is something to read already."""
        with self._guard:
            if len(self._frames) > position or self.ended_at is not None:
                return False
            self._sleepers.append(asleep)
        return asleep.acquire()


class MemoryBroker:
    """All logs of this process. One thread breaks their silences and drops those that ended a while ago."""

    def __init__(self) -> None:
        self._logs: dict[str, MemoryLog] = {}
        self._lock = threading.Lock()
        self._keeper: threading.Thread | None = None

    def open(self, run_id: str) -> MemoryLog:
        log = self._logs[run_id] = MemoryLog()
        with self._lock:
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="logs", daemon=True)
                self._keeper.start()
        return log

    def find(self, run_id: str) -> MemoryLog | None:
        return self._logs.get(run_id)

    def end(self, run_id: str, event: str, payload: bytes) -> None:
        """Nothing to do: the logs here end with their runs."""

    def attend(self, look: Callable[[], None]) -> None:
        """Nobody else is there to nudge."""

    def nudge(self, worker: str) -> None:
        """Nobody else is there to be nudged."""

    def missing(self) -> list[str]:
        return []

    def flush(self) -> None:
        """What is written is there to be read."""

    def beat(self) -> None:
        """Wake the readers of every log, and drop the logs that have expired."""
        limit = time.monotonic() - KEPT_SECONDS
        for run_id, log in list(self._logs.items()):
            log.wake()
            if log.ended_at is not None and log.ended_at < limit:
                del self._logs[run_id]

    def _keep(self) -> None:
        while True:
            time.sleep(HEARTBEAT_SECONDS)
            self.beat()
