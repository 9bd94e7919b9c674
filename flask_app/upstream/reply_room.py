"""Room for long replies that are read whole: a process holds so much of them, from when they come until they are gone.

A place is given up with its reply itself, once nobody holds that any more: not the answer, nor who it is sent to.

A reply that does not say how long it will be has a place that grows with it. It grows only where all that are begun
could still become as long as they may, one after the other: so none of them ever wait for each other alone.
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
STEP = 2 << 20  # by which a place grows

# Bytes that each has, and may come to have; given up wherever the last who holds it is: no lock is taken for that.
_places: dict[int, tuple[int, int]] = {}
_taking = threading.Lock()


class LongReply(bytearray):
    """The bytes of a reply."""

    __slots__ = ("__weakref__",)


def take_place(reply: LongReply, size: int, most: int, is_given_up: Callable[[], bool]) -> None:
    """Before more of `reply` is read, up to `size` bytes of at most `most`. Who `is_given_up` has none, nor waits.

    Raises Unavailable("too_many_long_replies") where none is free in time.
    """
    until, place = time.monotonic() + WAIT_SECONDS, id(reply)
    while not is_given_up():
        with _taking:
            others = _places.copy()
            is_new = others.pop(place, None) is None
            if _all_can_end([*others.values(), (size, most)]):
                _places[place] = size, most
                if is_new:
                    weakref.finalize(reply, _places.pop, place, None).atexit = False
                return
        if time.monotonic() > until:
            raise Unavailable("too_many_long_replies")
        time.sleep(LOOK_SECONDS)


def shrink_place(reply: LongReply) -> None:
    """It is there, and no longer than this."""
    if id(reply) in _places:
        _places[id(reply)] = len(reply), len(reply)


def held() -> int:
    """Bytes of the long replies that are held just now."""
    return sum(size for size, _ in list(_places.values()))


def _all_can_end(places: list[tuple[int, int]]) -> bool:
    """One after the other, whoever lacks least first; each that has ended gives its room to the next."""
    free = ROOM - sum(size for size, _ in places)
    for size, most in sorted(places, key=lambda place: place[1] - place[0]):
        if most - size > free:
            return False
        free += size
    return True
