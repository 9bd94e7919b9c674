"""Request bodies as checked structures, replies as JSON, and the two recorded for the API's description."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from flask import Response, g, request

from flask_app.errors import BadRequest, Invalid, TooLarge, TooSlow
from flask_app.web import long_bodies

View = TypeVar("View", bound=Callable[..., Any])
Limited = Callable[[float, type[Exception]], AbstractContextManager[object]]
MAX_BODY_BYTES = long_bodies.USUAL
SHORT_BODY_BYTES = 1 << 16  # a megabyte of brackets takes the processor half a second, and anybody may sign in
BODY_SECONDS = 30  # how long a body may take to come

# Longer than anything that could be right, short enough to be folded and hashed in no time.
Words = Annotated[str, msgspec.Meta(max_length=1000)]
IdempotencyKey = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]

_encoder = msgspec.json.Encoder()
_broken: tuple[type[Exception], ...] = ()
_limited: Limited | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How deep a body may be nested, from where to where its integers go, and how large its other numbers may be."""

    depth: int
    least: int
    most: int
    largest: float


OWN = Bounds(depth=32, least=-(2**53), most=2**53, largest=2.0**53)  # what JavaScript holds exactly
# What a program's model was told, or has said, goes on as it is: 64 bits, as every reader of JSON here takes.
PASSED_ON = Bounds(depth=128, least=-(2**63), most=2**64 - 1, largest=sys.float_info.max)


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request body; a field it does not name is refused."""

    bounds: ClassVar[Bounds] = OWN

    def hear(self, raw: bytes) -> None:
        """It was read of these bytes. Raises BadRequest for what is in them and not taken."""


class ProgramBody(Body):
    """A program's, much of which goes to the provider as it came."""

    bounds = PASSED_ON


class Reply(msgspec.Struct, kw_only=True):
    """A reply: what is not named here is never sent."""


def expect_broken(*kinds: type[Exception]) -> None:
    """Say what the server raises in the middle of a body that is no HTTP: the client's mistake, not ours."""
    global _broken
    _broken = kinds


def limit_with(limited: Limited) -> None:
    """Say what the server has to raise an error in a block that takes longer than so many seconds, reading or not."""
    global _limited
    _limited = limited


@contextmanager
def arriving(seconds: float) -> Iterator[None]:
    """Within, the body is read: raises TooSlow where that takes longer, BadRequest where what comes is no HTTP."""
    try:
        with _limited(seconds, TooSlow) if _limited else nullcontext():
            yield
    except _broken as error:
        raise BadRequest from error


def accepts(body_type: type[Body], *, most: int = SHORT_BODY_BYTES) -> Callable[[View], View]:
    """Hand the view its JSON body of at most `most` bytes as `body`; where that is more than usual, long ones wait
    for a place.

    Raises BadRequest, Invalid, TooLarge, TooSlow or Unavailable before the view runs.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def parsed(*args: Any, **kwargs: Any) -> Any:
            if most > MAX_BODY_BYTES:
                long_bodies.take_place(most)
            return view(*args, body=_decode(body_type, most), **kwargs)

        parsed.body_type = body_type  # type: ignore[attr-defined]
        return parsed  # type: ignore[return-value]

    return decorate


def returns(reply_type: Any, status: int = 200) -> Callable[[View], Callable[..., Response]]:
    """Send what the view returns as JSON of `reply_type` (None: an empty reply) with `status`."""

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def presented(*args: Any, **kwargs: Any) -> Response:
            result = view(*args, **kwargs)
            return result if isinstance(result, Response) else to_json(result, status)

        presented.reply_type, presented.reply_status = reply_type, status  # type: ignore[attr-defined]
        return presented

    return decorate


def refuses(status: int, words: str) -> Callable[[View], View]:
    """Say what it means that the view answers with a failure of this status."""

    def decorate(view: View) -> View:
        view.refusals = {**getattr(view, "refusals", {}), status: words}  # type: ignore[attr-defined]
        return view

    return decorate


def fails_as(kind: type) -> Callable[[View], View]:
    """Say that the view's failures have this shape."""

    def decorate(view: View) -> View:
        view.failure_type = kind  # type: ignore[attr-defined]
        return view

    return decorate


def queries(**parameters: str) -> Callable[[View], View]:
    """Say which query parameters the view reads, and what each means."""

    def decorate(view: View) -> View:
        view.query_parameters = parameters  # type: ignore[attr-defined]
        return view

    return decorate


def heeds(header: str, words: str) -> Callable[[View], View]:
    """Say that the view reads this header, and what it means."""

    def decorate(view: View) -> View:
        view.headers = {**getattr(view, "headers", {}), header: words}  # type: ignore[attr-defined]
        return view

    return decorate


def streams(view: View) -> View:
    """Say that the view answers as an event stream."""
    view.streams = True  # type: ignore[attr-defined]
    return view


def downloads(*content_types: str) -> Callable[[View], View]:
    """Say that the view answers with a file of one of these types."""

    def decorate(view: View) -> View:
        view.content_types = content_types  # type: ignore[attr-defined]
        return view

    return decorate


def shows(*content_types: str) -> Callable[[View], View]:
    """The same where pages show what it answers with: it counts as any request of theirs does, not as a download."""

    def decorate(view: View) -> View:
        view.counted_as = "requests"  # type: ignore[attr-defined]
        return downloads(*content_types)(view)

    return decorate


def takes_bytes(view: View) -> View:
    """Say that the body is a file's bytes, which the view reads itself."""
    view.takes_bytes = True  # type: ignore[attr-defined]
    return view


def to_json(value: Any, status: int = 200) -> Response:
    if value is None:
        return Response(status=204)
    return Response(encoded(value), status, content_type="application/json")


def encoded(value: Any) -> bytes:
    """As JSON."""
    return _encoder.encode(value)


def _decode(body_type: type[Body], most: int) -> Body:
    if request.mimetype != "application/json":
        raise BadRequest("json_required")
    with arriving(BODY_SECONDS):
        raw = request.get_data(cache=False)
    if len(raw) > most:
        raise TooLarge
    long_bodies.shrink_place(len(raw))
    if hear := g.get("hears_body"):
        hear(raw)
    _check_strictly(raw, body_type.bounds)
    try:
        body = msgspec.json.decode(raw, type=body_type)
    except msgspec.ValidationError as error:
        raise Invalid("invalid_field", detail=str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("malformed_json") from error
    body.hear(raw)
    return body


def _check_strictly(raw: bytes, bounds: Bounds) -> None:
    """Refuse what JSON readers differ about: twice the same key, NaN, numbers out of range, lone surrogates."""
    try:
        _walk(_strict.decode(long_bodies.without_pictures(raw).decode()), bounds, 0)
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("malformed_json") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


_strict = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _walk(value: Any, bounds: Bounds, depth: int) -> None:
    if depth > bounds.depth:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        value.encode("utf-8")  # raises for a lone surrogate
    elif isinstance(value, int | float):
        _check_number(value, bounds)
    elif isinstance(value, dict):
        for key, item in value.items():
            _walk(key, bounds, depth + 1)
            _walk(item, bounds, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _walk(item, bounds, depth + 1)


def _check_number(value: float, bounds: Bounds) -> None:
    is_in = bounds.least <= value <= bounds.most if isinstance(value, int) else abs(value) <= bounds.largest
    if not is_in:
        raise ValueError("a number is out of range")
