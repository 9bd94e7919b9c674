"""A provider that refuses a request: what its status means, when to come back, and its own words."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import msgspec

from flask_app.domain.redaction import presentable
from flask_app.errors import UpstreamError

MAX_BODY_BYTES = 64 << 10
BODY_SECONDS = 3

# What a status means: code, and whether another key may do better.
_CODES = {
    401: ("upstream_key_refused", True),
    402: ("upstream_no_balance", True),
    403: ("upstream_key_refused", True),
    429: ("upstream_busy", True),
    503: ("upstream_overloaded", True),
    504: ("upstream_timeout", True),
}


class _Error(msgspec.Struct):
    message: str = ""


class _Body(msgspec.Struct):
    error: _Error | str


def refusal(status: int, headers: Mapping[str, str], body: bytes, secret: str) -> UpstreamError:
    """The error for a response that is no answer. `headers` are found in any case; `body` may be cut off."""
    if status == HTTPStatus.OK or 300 <= status < 400:
        return UpstreamError("upstream_garbage", status=status)
    fault = ("upstream_failed", True) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ("upstream_rejected", False)
    code, retryable = _CODES.get(status, fault)
    return UpstreamError(
        code,
        retryable=retryable,
        status=status,
        retry_after=retry_after(headers.get("retry-after"), datetime.now(UTC)),
        detail=presentable(_words(body), secret) or None,
    )


def read_body(read: Callable[[], bytes]) -> bytes:
    """As much of an error's body as may be looked at: `read` gives the next bytes, none at the end."""
    body, deadline = bytearray(), time.monotonic() + BODY_SECONDS
    while len(body) <= MAX_BODY_BYTES and time.monotonic() < deadline and (part := read()):
        body += part
    return bytes(body[:MAX_BODY_BYTES])


def retry_after(value: str | None, now: datetime) -> int | None:
    """Seconds from now, of a Retry-After header in either form; None when it says nothing of use."""
    if value is None or len(value) > 64:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return int(value) or None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(int((moment - now).total_seconds()) + 1, 0) or None


def _words(body: bytes) -> str:
    try:
        error = msgspec.json.decode(body, type=_Body).error
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return ""
    return error if isinstance(error, str) else error.message
