"""An event log that forgets: for one reader of this process, who cannot come back."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from flask_app.streams.frames import MOST_IN_A_PIECE
from flask_app.streams.keeper import HEARTBEAT
from flask_app.streams.outlet import Outlet


class PassingLog:
    """Its reader sleeps until there is something: then it is fed through its outlet, or woken where that takes none.

    What is out is kept no longer, and what comes once the reader has left is not kept at all. Feeding takes no lock, as
    in `MemoryLog`.
    """

    __slots__ = ("_asleep", "_guard", "_has_left", "_held", "_outlet", "_sleeps", "_waiting", "ended_at")

    def __init__(self) -> None:
        self.ended_at: float | None = None
        self._waiting = bytearray()
        self._guard = threading.Lock()
        self._asleep = threading.Lock()  # released by whoever wakes the reader
        self._asleep.acquire()
        self._sleeps = False  # and has nothing left to read
        self._has_left = False
        self._outlet: Outlet | None = None
        self._held: list[bytes] | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is added in the block is one piece for its reader, whose connection costs as much as all the rest."""
        held: list[bytes] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
            if held:
                self.add(b"".join(held))

    def add(self, frame: bytes) -> None:
        """Add an event as the bytes that its reader gets."""
        if self._held is not None:
            self._held.append(frame)
            return
        outlet = self._outlet
        if outlet is None or not self._sleeps or not outlet.offer(frame):
            self._keep(frame)
        elif outlet.is_clogged:
            self.wake()

    def close(self, last: Iterable[bytes] = ()) -> None:
        """It ends with these events. Its reader is woken, not fed: it writes what is new in one piece, and leaves."""
        self._put(b"".join(last))
        self.ended_at = time.monotonic()
        self.wake()  # not sooner: it would find neither an event nor the end, and send a comment

    def wake(self) -> None:
        """Let the reader look again, where it sleeps; if it finds nothing new it sends a comment."""
        with self._guard:
            slept, self._sleeps = self._sleeps, False
        if slept:
            self._asleep.release()

    def read(self, outlet: Outlet | None = None) -> Iterator[bytes]:
        """What comes, in pieces, until the end; `outlet` takes events meanwhile. For one reader, once."""
        self._outlet = outlet
        try:
            while True:
                woken = self._sleep()
                has_ended = self.ended_at is not None  # before the look at what there is: the last came before that
                if piece := self._piece():
                    yield piece
                elif has_ended:
                    return
                elif woken:
                    yield HEARTBEAT
        finally:
            self._leave()

    def _keep(self, frames: bytes) -> None:
        self._put(frames)
        self.wake()

    def _put(self, frames: bytes) -> None:
        with self._guard:
            if not self._has_left:
                self._waiting += frames

    def _leave(self) -> None:
        with self._guard:
            self._has_left, self._sleeps, self._outlet = True, False, None
            self._waiting.clear()

    def _sleep(self) -> bool:
        """Wait for a wake, unless there is something to read already, or nothing more will come."""
        with self._guard:
            if self._waiting or self.ended_at is not None:
                return False
            self._sleeps = True
        return self._asleep.acquire()

    def _piece(self) -> bytes:
        with self._guard:
            piece = bytes(self._waiting[:MOST_IN_A_PIECE])
            del self._waiting[:MOST_IN_A_PIECE]
        return piece
