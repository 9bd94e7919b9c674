"""Event streams as responses, and where a reader left off."""

import time
from collections.abc import Iterator

from flask import Response, g, request

from flask_app.errors import BadRequest
from flask_app.services import auth_service

SESSION_CHECK_SECONDS = 10


def event_stream(frames: Iterator[bytes]) -> Response:
    """A reply that goes on until the iterator ends, or the reader's session does.

    Nothing between here and the reader may hold it back.
    """
    response = Response(_while_signed_in(frames, g.session_token), content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _while_signed_in(frames: Iterator[bytes], session_token: str) -> Iterator[bytes]:
    due = time.monotonic() + SESSION_CHECK_SECONDS
    for frame in frames:
        if time.monotonic() > due:
            if auth_service.visit(session_token) is None:
                return
            due = time.monotonic() + SESSION_CHECK_SECONDS
        yield frame


def last_event_id() -> int:
    """The number of the last event the reader has, from `Last-Event-ID` or `?after=`; 0 for none."""
    given = request.headers.get("Last-Event-ID") or request.args.get("after") or "0"
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise BadRequest("bad_event_id")
    return int(given)


def wants_events() -> bool:
    """Streaming is the default; only a client that asks for JSON gets the answer whole."""
    best = request.accept_mimetypes.best_match(["text/event-stream", "application/json"], "text/event-stream")
    return best == "text/event-stream"
