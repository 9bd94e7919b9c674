"""Room for long replies that are read whole: a process holds so much of them, from when they come until they are gone.

A place is given up with its reply itself, once nobody holds that any more: not the answer, nor who it is sent to.
"""

import threading
import time
import weakref
from collections.abc import Callable

from flask_app.errors import Unavailable

USUAL = 1 << 20  # what is no longer than this waits for nobody
ROOM = 64 << 20  # of longer ones together
WAIT_SECONDS = 60
LOOK_SECONDS = 0.05

_places: dict[int, int] = {}  # bytes of each; given up wherever the last who holds it is: no lock is taken for that
_taking = threading.Lock()


class LongReply(bytearray):
    """The bytes of a reply."""

    __slots__ = ("__weakref__",)


def take_place(reply: LongReply, size: int, is_given_up: Callable[[], bool]) -> None:
    """Before more of `reply` is read, which will have `size` bytes. Who `is_given_up` has none, and need not wait.

    Raises Unavailable("too_many_long_replies") where none is free in time.
    """
    until = time.monotonic() + WAIT_SECONDS
    while not is_given_up():
        with _taking:
            if held() + size <= ROOM:
                place = id(reply)
                _places[place] = size
                weakref.finalize(reply, _places.pop, place, None).atexit = False
                return
        if time.monotonic() > until:
            raise Unavailable("too_many_long_replies")
        time.sleep(LOOK_SECONDS)


def shrink_place(reply: LongReply) -> None:
    """It is there, and no longer than this."""
    if id(reply) in _places:
        _places[id(reply)] = len(reply)


def held() -> int:
    """Bytes of the long replies that are held just now."""
    return sum(list(_places.values()))
