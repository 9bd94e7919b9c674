"""Event logs in this process: enough for one worker."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from flask_app.streams.frames import Frames
from flask_app.streams.keeper import HEARTBEAT, Keeper
from flask_app.streams.outlet import Outlet

_FRAME = b"id: %d\nevent: %b\ndata: %b\n\n"


def number_of(block: bytes) -> int:
    """The number of the last event in a block of them, as readers get it."""
    start = block.rfind(b"\nid: ") + 1  # JSON has no line breaks
    return int(block[start + len(b"id: ") : block.index(b"\n", start)])


class _Reader:
    """Where a reader is, and what wakes it. `outlet` takes events while it sleeps."""

    __slots__ = ("_asleep", "_outlet", "position")

    def __init__(self, position: int, outlet: Outlet | None) -> None:
        self.position = position
        self._outlet = outlet
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def sleep(self) -> bool:
        return self._asleep.acquire()

    def wake(self) -> None:
        self._asleep.release()

    def was_fed(self, piece: bytes, start: int, end: int) -> bool:
        """Give the newest events, from `start` to `end`, to a reader that has all others; False: it must wake up."""
        outlet = self._outlet
        if outlet is None or self.position != start or not outlet.offer(piece):
            return False
        self.position = end
        return not outlet.is_clogged


class MemoryLog:
    """Readers that have all there is sleep on a lock of their own; whoever adds something feeds or wakes them.

    A condition would do the same, but under gevent each notification of one costs a switch to the hub and each
    wait a timer: a quarter of a token's price. Whoever takes a reader from the sleepers, under the guard, wakes it.
    Feeding takes no lock: where there are outlets threads are greenlets, and nothing there lets another run.
    Events count on from `numbered_from`. Nobody has read since `unread_since` on the monotonic clock; it is None
    while somebody does.
    """

    __slots__ = (
        *("_frames", "_guard", "_is_held", "_numbered_from", "_readers", "_sleepers"),
        *("ended_at", "unread_since"),
    )

    def __init__(self, numbered_from: int = 0) -> None:
        self._numbered_from = numbered_from
        self._guard = threading.Lock()
        self._sleepers: list[_Reader] = []
        self._frames = Frames()
        self.ended_at: float | None = None
        self._readers = 0
        self.unread_since: float | None = time.monotonic()
        self._is_held = False

    def append(self, event: str, payload: bytes) -> None:
        self.add(_FRAME % (self.last + 1, event.encode(), payload))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is added in the block is fed as one piece: the readers' connections cost as much as all the rest."""
        start, self._is_held = len(self._frames), True
        try:
            yield
        finally:
            self._is_held, end = False, len(self._frames)
            if end > start:
                self._feed(self._frames.joined(start, end), start, end)

    def add(self, frame: bytes) -> None:
        """Add an event as the bytes that readers get."""
        end = self._frames.append(frame)
        if not self._is_held:
            self._feed(frame, end - 1, end)

    def _feed(self, piece: bytes, start: int, end: int) -> None:
        sleepers = tuple(self._sleepers)
        if len(sleepers) == 1:  # nearly always
            if not sleepers[0].was_fed(piece, start, end):
                self._wake(sleepers)
        elif hungry := [reader for reader in sleepers if not reader.was_fed(piece, start, end)]:
            self._wake(hungry)

    @property
    def last(self) -> int:
        """The number of the last event; where there is none, the one before the first."""
        return self._numbered_from + len(self._frames)

    def since(self, number: int) -> list[bytes]:
        """The events after event `number` that are there now."""
        return self._frames.since(number - self._numbered_from)

    def extend(self, frames: Iterable[bytes]) -> None:
        """Add events that have their numbers already: those that follow the last."""
        self._frames.extend(frames)
        self.wake()

    def finish(self, last: Sequence[tuple[str, bytes]] = ()) -> None:
        """Readers are woken, not fed: each writes what is new in one piece, and leaves."""
        for event, payload in last:
            self._frames.append(_FRAME % (self.last + 1, event.encode(), payload))
        self.close()

    def close(self, last: Iterable[bytes] = ()) -> None:
        """The same with events as the bytes that readers get."""
        for frame in last:
            self._frames.append(frame)
        self.ended_at = time.monotonic()
        self.wake()

    def wake(self) -> None:
        """Let the sleeping readers look again; one that finds nothing new sends a comment."""
        self._wake(tuple(self._sleepers))

    def read(self, after: int = 0, outlet: Outlet | None = None) -> Iterator[bytes]:
        frames = self._frames
        reader = _Reader(max(after - self._numbered_from, 0), outlet)
        self._count(+1)
        try:
            while True:
                woken = self._sleep(reader)
                has_ended = self.ended_at is not None  # before the look at what there is: the last came before that
                if len(frames) > reader.position:
                    piece, reader.position = frames.piece(reader.position)
                    yield piece
                elif has_ended:
                    return
                elif woken:
                    yield HEARTBEAT
        finally:
            self._forget(reader)
            self._count(-1)

    def _sleep(self, reader: _Reader) -> bool:
        """Wait for a wake, unless there is something to read already.

        It lies down before it looks: whoever adds an event in this moment looks for sleepers after that.
        """
        with self._guard:
            self._sleepers.append(reader)
        if (len(self._frames) > reader.position or self.ended_at is not None) and self._forget(reader):
            return False
        return reader.sleep()

    def _wake(self, readers: Iterable[_Reader]) -> None:
        for reader in readers:
            if self._forget(reader):
                reader.wake()

    def _count(self, change: int) -> None:
        with self._guard:
            self._readers += change
            self.unread_since = None if self._readers else time.monotonic()

    def _forget(self, reader: _Reader) -> bool:
        """Take a reader from the sleepers, for one of those who would; False: somebody else has done so."""
        with self._guard:
            if reader not in self._sleepers:
                return False
            self._sleepers.remove(reader)
            return True


class MemoryBroker(Keeper[MemoryLog]):
    """All logs of this process, where there is no other."""

    def __init__(self) -> None:
        super().__init__(MemoryLog)

    def end(self, run_id: str, event: str, payload: bytes) -> None:
        """Nothing to do: the logs here end with their runs."""

    def attend(self, look: Callable[[], None]) -> None:
        """Nobody else is there to nudge."""

    def nudge(self, worker: str) -> None:
        """Nobody else is there to be nudged."""

    def missing(self) -> list[str]:
        return []

    def let_go(self) -> None:
        """There are no other processes."""

    def flush(self) -> None:
        """What is written is there to be read."""
