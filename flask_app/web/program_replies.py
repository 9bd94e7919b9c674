"""Answers to programs as replies: chunks as they come, or the whole. Whoever goes away ends the answer."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected

from flask_app.services import gateway_errors, gateway_service
from flask_app.services.completion_objects import Completion
from flask_app.services.program_answers import ProgramAnswer, StreamedAnswer, WholeAnswer
from flask_app.streams.memory import HEARTBEAT, HEARTBEAT_SECONDS
from flask_app.web.events import EarPlug, draining
from flask_app.web.outlet import SocketOutlet, has_left


def streamed(answer: StreamedAnswer) -> Response:
    """The answer's chunks. What fails before its first word fails with a status of its own.

    The head is sent with the first chunk, or with a comment after ten seconds or a little more, so that nothing between
    here and the program takes the line for dead.
    """
    outlet = SocketOutlet.of(request.environ)
    frames = _to_who_stays(answer.events.read(0, outlet), request.environ)
    first = _first(frames)
    if answer.failure and not answer.has_begun:
        raise gateway_errors.failure(answer.failure)
    pieces: Iterator[bytes] = itertools.chain(first, frames)
    response = Response(draining(pieces, outlet) if outlet else pieces, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: gateway_service.leave(answer))
    return response


def _first(frames: Iterator[bytes]) -> list[bytes]:
    """What comes first. Silences are broken for all at once: one that has just begun is told as a failure, if it is."""
    began = time.monotonic()
    for frame in frames:
        if frame != HEARTBEAT or time.monotonic() - began >= HEARTBEAT_SECONDS:
            return [frame]
    return []


def whole(answer: WholeAnswer) -> Completion:
    """The whole answer once it has ended. Raises what it failed with, and ClientDisconnected where its program left."""
    _await(answer)
    if answer.completion is None:
        raise gateway_errors.failure(answer.failure or "internal")
    return answer.completion


def _to_who_stays(frames: Iterator[bytes], environ: dict[str, Any]) -> Iterator[bytes]:
    """The first write to who has left succeeds all the same: who hears nothing but heartbeats is looked for."""
    for frame in frames:
        if frame == HEARTBEAT and has_left(environ):
            return
        yield frame


def _await(answer: ProgramAnswer) -> None:
    try:
        if any(has_left(request.environ) for _ in answer.events.read(0, EarPlug())):
            raise ClientDisconnected
    finally:
        gateway_service.leave(answer)
