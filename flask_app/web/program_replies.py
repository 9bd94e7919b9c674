"""Answers to programs as replies: events as they come, or the whole. Whoever goes away ends one that does not go on."""

import itertools
import time
from collections.abc import Iterator
from typing import Any, TypeVar

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected

from flask_app.services.gateway import gateway_errors, gateway_service
from flask_app.services.gateway.program_answers import ProgramAnswer, Streamed, Whole
from flask_app.services.gateway.request_log import OpenRequest
from flask_app.streams.keeper import HEARTBEAT, HEARTBEAT_SECONDS
from flask_app.web import programs
from flask_app.web.events import EarPlug, draining
from flask_app.web.outlet import SocketOutlet, has_left

Made = TypeVar("Made")


def streamed(answer: Streamed) -> Response:
    """The answer's events. What fails before its first word fails with a status of its own.

    The head is sent with the first event, or with a heartbeat after ten seconds or a little more, so that nothing
    between here and the program takes the line for dead.
    """
    logged, outlet = programs.logged(), SocketOutlet.of(request.environ)
    logged.answer = answer
    frames = _to_who_stays(answer.events.read(outlet), request.environ)
    first = _first(frames)
    if answer.failure and not answer.has_begun:
        raise gateway_errors.failure(answer.failure, answer.retry_after)
    all_of_it = itertools.chain(first, frames)
    pieces = (answer.heartbeat if frame == HEARTBEAT else frame for frame in all_of_it)
    body = _noted(draining(pieces, outlet) if outlet else pieces, outlet, logged)
    response = Response(body, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: _leave(answer, logged))
    return response


def _leave(answer: Streamed, logged: OpenRequest) -> None:
    """Who leaves in a silence is seen by nothing else, where the answer goes on."""
    logged.has_left = logged.has_left or answer.ended is None
    gateway_service.leave(answer)


def _noted(pieces: Iterator[bytes], outlet: SocketOutlet | None, logged: OpenRequest) -> Iterator[bytes]:
    """The same, and how much goes out."""
    logged.is_stream = True
    try:
        for piece in pieces:
            logged.bytes_sent += len(piece)
            yield piece
    except (OSError, GeneratorExit):  # it cannot be written to, or nobody reads on
        logged.has_left = True
        raise
    finally:
        logged.bytes_sent += outlet.written if outlet else 0


def _first(frames: Iterator[bytes]) -> list[bytes]:
    """What comes first. Silences are broken for all at once: one that has just begun is told as a failure, if it is."""
    began = time.monotonic()
    for frame in frames:
        if frame != HEARTBEAT or time.monotonic() - began >= HEARTBEAT_SECONDS:
            return [frame]
    return []


def whole(answer: Whole[Made]) -> Made:
    """The whole answer once it has ended. Raises what it failed with, and ClientDisconnected where its program left."""
    programs.logged().answer = answer
    _await(answer)
    if answer.made is None:
        raise gateway_errors.failure(answer.failure or "internal", answer.retry_after)
    return answer.made


def in_pieces(pieces: Iterator[bytes]) -> Response:
    """What is too long to be written out at once, or to be compressed while others wait."""
    return Response(_noted(pieces, None, programs.logged()), content_type="application/json")


def _to_who_stays(frames: Iterator[bytes], environ: dict[str, Any]) -> Iterator[bytes]:
    """The first write to who has left succeeds all the same: who hears nothing but heartbeats is looked for."""
    for frame in frames:
        if frame == HEARTBEAT and has_left(environ):
            return
        yield frame


def _await(answer: ProgramAnswer) -> None:
    try:
        if any(has_left(request.environ) for _ in answer.events.read(EarPlug())):
            programs.logged().has_left = True
            raise ClientDisconnected
    finally:
        gateway_service.leave(answer)
