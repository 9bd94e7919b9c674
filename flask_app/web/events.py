"""Event streams as responses, and where a reader left off."""

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from flask import Response, g, request
from werkzeug.exceptions import ClientDisconnected

from flask_app.errors import BadRequest, SignInRequired
from flask_app.services import auth_service, run_service
from flask_app.utils import get_current_user
from flask_app.web.outlet import SocketOutlet, has_left

SESSION_CHECK_SECONDS = 5


def run_stream(run_id: str, *, after: int) -> Response:
    """A run's events as a reply that goes on until the run ends, or the reader's session does.

    Nothing between here and the reader may hold it back. Raises NotFound for somebody else's run.
    """
    outlet = SocketOutlet.of(request.environ)
    frames = run_service.read(get_current_user(), run_id, after=after, locale=g.locale, outlet=outlet)
    frames = _until_signed_out(frames, g.session_id)
    response = Response(
        _draining(frames, outlet) if outlet else frames, content_type="text/event-stream; charset=utf-8"
    )
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _EarPlug:
    """Takes every event and passes none on: whoever waits for the end is woken by nothing else."""

    is_clogged = False

    def offer(self, frame: bytes) -> bool:  # noqa: ARG002
        return True


def await_end(run_id: str) -> None:
    """Wait until the run has ended. Raises ClientDisconnected within seconds of its client's leaving.

    Raises NotFound for somebody else's run.
    """
    frames = run_service.read(get_current_user(), run_id, after=0, locale=g.locale, outlet=_EarPlug())
    if any(has_left(request.environ) for _ in frames):
        raise ClientDisconnected


def while_signed_in(pieces: Iterator[bytes], session_id: str) -> Iterator[bytes]:
    """The pieces, for as long as the reader's session is open; raises SignInRequired within seconds of its end."""
    due = time.monotonic() + SESSION_CHECK_SECONDS
    for piece in pieces:
        if time.monotonic() > due:
            if not auth_service.is_open(session_id):
                raise SignInRequired
            due = time.monotonic() + SESSION_CHECK_SECONDS
        yield piece


def _until_signed_out(frames: Iterator[bytes], session_id: str) -> Iterator[bytes]:
    """A run's events end there like a line that is lost."""
    with suppress(SignInRequired):
        yield from while_signed_in(frames, session_id)


def _draining(frames: Iterator[bytes], outlet: SocketOutlet) -> Iterator[bytes]:
    """Have the server write the head and the first frame, and write what the outlet did not take of the others."""
    outlet.cork()
    try:
        for frame in islice(frames, 1):
            yield frame
            outlet.open()
        for frame in frames:
            outlet.write(frame)
        outlet.drain()
    finally:
        outlet.close()


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
