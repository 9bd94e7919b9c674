"""Room for the pictures of requests, which a process holds from when they are read until the provider has replied."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask_app.errors import Unavailable, UpstreamError

ROOM = 48 << 20  # bytes of them, as they are sent, that a process holds at once: at most about twice that in memory
WAIT_SECONDS = 60
LOOK_SECONDS = 0.5  # until who waits sees that they were stopped

_held = 0
_room = threading.Condition()


@contextmanager
def taken(size: int, is_stopped: Callable[[], bool]) -> Iterator[None]:
    """Within, there is room for so many bytes; who asks for more than there ever is has all of it.

    Raises Unavailable("files_busy") where there is none in time, UpstreamError where who waits is stopped.
    """
    if not size:
        yield
        return
    size = min(size, ROOM)
    _take(size, is_stopped)
    try:
        yield
    finally:
        _give_up(size)


def held() -> int:
    """Bytes that are held just now."""
    return _held


def _take(size: int, is_stopped: Callable[[], bool]) -> None:
    global _held
    until = time.monotonic() + WAIT_SECONDS
    with _room:
        while not _room.wait_for(lambda: _held + size <= ROOM, LOOK_SECONDS):
            if is_stopped():
                raise UpstreamError
            if time.monotonic() > until:
                raise Unavailable("files_busy")
        _held += size


def _give_up(size: int) -> None:
    global _held
    with _room:
        _held -= size
        _room.notify_all()
