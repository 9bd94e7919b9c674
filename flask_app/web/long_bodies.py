"""Requests of programs that are longer than others: how long, what of them is read strictly, how many at once.

A picture is one long string, which costs little but its bytes. Everything else of a body costs more than that: a
megabyte of brackets takes the processor half a second, and one rare letter makes a text four times as large in memory.
So pictures are taken out before the rest is looked at, and the rest is bounded by itself.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flask import Flask, Response, after_this_request, g, request

from flask_app.errors import TooLarge, Unavailable

WITH_IMAGES = 16 << 20  # four photographs, as data
WITH_TEXT = 8 << 20  # twice what is put to any model, for what is escaped
MOST_MARKS = 400_000  # commas and opening brackets: about as many as a megabyte can be made of
USUAL = 1 << 20  # what is no longer than this waits for nobody
ROOM = 48 << 20  # of longer ones that a process holds at once: about two and a half times that in memory
WAIT_SECONDS, RETRY_SECONDS = 5, 5  # for a place, and until a program that found none comes again

_MARKS = b",[{"
# Base64 alone has no quotes or backslashes: each is a whole string, and what is left has the same shape without it.
_PICTURE = re.compile(rb'"(?:data:image/[a-z]{1,5};base64,)?[A-Za-z0-9+/]{4096,}={0,2}"')

_held = 0
_room = threading.Condition()


class Made(Protocol):
    """What is made of a body, and holds it. Its end is told once, at once where it has ended."""

    def when_ended(self, tell: Callable[[object], None]) -> None: ...


@dataclass(slots=True)
class _Place:
    size: int
    is_replys: bool = False  # it is given up when the reply has ended
    made: Made | None = None  # and this too

    def leave(self) -> None:
        """Its request is over."""
        if self.made is None:
            self.give_up()
        else:
            self.made.when_ended(lambda _: self.give_up())

    def give_up(self) -> None:
        global _held
        with _room:
            _held -= self.size
            self.size = 0
            _room.notify_all()


def init_app(app: Flask) -> None:
    app.teardown_request(lambda _: _give_up_without_reply())


def take_place(most: int) -> None:
    """Before a body of at most `most` bytes is read, until the reply has ended.

    Raises TooLarge, and Unavailable("too_many_long_bodies") where no place is free in time.
    """
    length = request.content_length
    size = most if length is None else length  # one that comes in chunks does not say
    if size > most:
        raise TooLarge
    request.max_content_length = most
    if size > USUAL:
        _take(size)


def shrink_place(size: int) -> None:
    """The body has come, and has so many bytes: one that came in chunks had a place for as many as it might have."""
    global _held
    place: _Place | None = g.get("place")
    if place is None:
        return
    with _room:
        left = size if size > USUAL else 0
        _held -= place.size - left
        place.size = left
        _room.notify_all()


def is_long() -> bool:
    """Has the request a place?"""
    place: _Place | None = g.get("place")
    return place is not None and place.size > 0


def keep_place_for(made: Made) -> None:
    """Until that has ended, if the reply is over before: it holds what came."""
    if (place := g.get("place")) is not None:
        place.made = made


def without_pictures(raw: bytes) -> bytes:
    """The same, each picture an empty string: what is to be read strictly. Raises TooLarge for more than may be."""
    if len(raw) <= USUAL:
        return raw
    rest = _PICTURE.sub(b'""', raw)
    if len(rest) > WITH_TEXT or sum(rest.count(mark) for mark in _MARKS) > MOST_MARKS:
        raise TooLarge
    return rest


def held() -> int:
    """Bytes of the long bodies that are still needed."""
    return _held


def _take(size: int) -> None:
    global _held
    with _room:
        if not _room.wait_for(lambda: _held + size <= ROOM, WAIT_SECONDS):
            raise Unavailable("too_many_long_bodies", retry_after=RETRY_SECONDS)
        _held += size
    g.place = _Place(size)
    after_this_request(_give_up_with_reply)


def _give_up_with_reply(response: Response) -> Response:
    place: _Place = g.place
    place.is_replys = True
    response.call_on_close(place.leave)
    return response


def _give_up_without_reply() -> None:
    place: _Place | None = g.get("place")
    if place and not place.is_replys:
        place.leave()
