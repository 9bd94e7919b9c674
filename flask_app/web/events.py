"""Event streams as responses, and where a reader left off."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from typing import Any

from flask import Flask, Response, g, request
from flask.globals import app_ctx

from flask_app.errors import AppError, BadRequest, SignInRequired
from flask_app.services.runs import run_service
from flask_app.services.sign_in import open_sessions
from flask_app.utils import get_current_user
from flask_app.web.bodies import Reply, encoded
from flask_app.web.failures import DATABASE_AWAY, database_failure, error_body
from flask_app.web.outlet import SocketOutlet, has_left

BLANK_SECONDS = 5
BEGINNING = b":\n\n"  # the server writes the head with the first piece, and would wait for a slow reader of a long one


def run_stream(run_id: str, *, after: int) -> Response:
    """A run's events as a reply that goes on until the run ends, or the reader's session does.

    Nothing between here and the reader may hold it back. Raises NotFound for somebody else's run.
    """
    outlet = SocketOutlet.of(request.environ)
    frames = run_service.read(get_current_user(), run_id, after=after, locale=g.locale, outlet=outlet)
    frames = _until_signed_out(frames, g.session_id)
    response = Response(draining(frames, outlet) if outlet else frames, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    return response


class EarPlug:
    """Takes every event and passes none on: whoever waits for the end is woken by nothing else."""

    is_clogged = False

    def offer(self, frame: bytes) -> bool:  # noqa: ARG002
        return True


def whole_answer(run_id: str, answer: Callable[[], Reply]) -> Response:
    """The answer as JSON once the run has ended; until then a blank now and then, which JSON allows before it.

    Without them proxies on the way take the silence for a failure. The status is out by the end: what fails then is
    an object with `error`, as elsewhere. Raises NotFound for somebody else's run.
    """
    frames = run_service.read(get_current_user(), run_id, after=0, locale=g.locale, outlet=EarPlug())
    last = partial(_said, app_ctx.app, g.locale, g.request_id, answer)
    pieces = _blanks_before(last, while_signed_in(frames, g.session_id), request.environ)
    response = Response(pieces, content_type="application/json")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _blanks_before(
    last: Callable[[AppError | None], bytes], frames: Iterator[bytes], environ: dict[str, Any]
) -> Iterator[bytes]:
    due = time.monotonic() + BLANK_SECONDS
    try:
        for _ in frames:
            if has_left(environ):
                return
            if time.monotonic() > due:
                yield b" "
                due = time.monotonic() + BLANK_SECONDS
    except SignInRequired as error:
        yield last(error)
    else:
        yield last(None)


def _said(app: Flask, locale: str, request_id: str, answer: Callable[[], Reply], failure: AppError | None) -> bytes:
    """The answer, or a failure in the reader's words; the request's own context has gone by then."""
    with app.app_context():
        g.locale, g.request_id = locale, request_id
        try:
            return encoded(error_body(failure) if failure else answer())
        except AppError as error:
            return encoded(error_body(error))
        except DATABASE_AWAY as error:
            return encoded(error_body(database_failure(error)))


def while_signed_in(pieces: Iterator[bytes], session_id: str) -> Iterator[bytes]:
    """The pieces, for as long as the reader's session is open; raises SignInRequired within seconds of its end."""
    with open_sessions.reading_in(session_id) as reading:
        for piece in pieces:
            if reading.is_over:
                raise SignInRequired
            yield piece


def _until_signed_out(frames: Iterator[bytes], session_id: str) -> Iterator[bytes]:
    """A run's events end there like a line that is lost."""
    with suppress(SignInRequired):
        yield from while_signed_in(frames, session_id)


def draining(frames: Iterator[bytes], outlet: SocketOutlet) -> Iterator[bytes]:
    """Have the server write the head with a comment, and write what the outlet did not take of the frames."""
    outlet.cork()
    try:
        first = list(islice(frames, 1))  # what fails so early is told as a failure
        yield BEGINNING
        for frame in chain(first, frames):
            outlet.write(frame)
            outlet.open()
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
