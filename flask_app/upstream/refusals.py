"""A provider that refuses a request: what its status means, when to come back, and its own words."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate
from http import HTTPStatus

import msgspec

from flask_app.domain.cooldown import MAX_RETRY_AFTER
from flask_app.domain.redaction import presentable
from flask_app.errors import UpstreamError

MAX_BODY_BYTES = 64 << 10
BODY_SECONDS = 3
MISUNDERSTOOD = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
# How providers say that a prompt does not fit, in the error's message, code or type: there is no status for it.
_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|exceed(s|ed|ing)?\b.{0,40}\b(tokens?|length|context)\b"
    r"|(prompt|input)( is)? too long|input length",
    re.IGNORECASE | re.DOTALL,
)
_OFFSET = re.compile(r" ([+-])(\d\d):?(\d\d)$")

# How providers with one status for both say that an account is empty, not busy: OpenAI's and Moonshot's codes or types.
_NO_BALANCE = {"insufficient_quota", "billing_hard_limit_reached", "exceeded_current_quota_error"}

# What a status means: code, and whether another key may do better.
_CODES = {
    401: ("upstream_key_refused", True),
    402: ("upstream_no_balance", True),
    403: ("upstream_key_refused", True),
    404: ("upstream_rejected", True),  # a model that this account, or this provider, has no more
    429: ("upstream_busy", True),
    503: ("upstream_overloaded", True),
    504: ("upstream_timeout", True),
}


class _Error(msgspec.Struct):
    message: str = ""
    code: object = None
    type: object = None


class _Body(msgspec.Struct):
    error: _Error | str


def refusal(status: int, headers: Mapping[str, str], body: bytes, secret: str) -> UpstreamError:
    """The error for a response that is no answer. `headers` are found in any case; `body` may be cut off."""
    if status == HTTPStatus.OK or 300 <= status < 400:
        return UpstreamError("upstream_garbage", status=status)
    fault = ("upstream_failed", True) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ("upstream_rejected", False)
    code, retryable = _CODES.get(status, fault)
    error = _error(body)
    if status in MISUNDERSTOOD and _is_too_long(status, error):
        code = "conversation_too_long"
    if status == HTTPStatus.TOO_MANY_REQUESTS and {str(error.code), str(error.type)} & _NO_BALANCE:
        code = "upstream_no_balance"
    return UpstreamError(
        code,
        retryable=retryable,
        status=status,
        retry_after=retry_after(headers.get("retry-after"), _now(headers)),
        detail=presentable(error.message, secret) or None,
    )


def read_body(read: Callable[[], bytes]) -> bytes:
    """As much of an error's body as may be looked at: `read` gives the next bytes, none at the end."""
    body, deadline = bytearray(), time.monotonic() + BODY_SECONDS
    while len(body) <= MAX_BODY_BYTES and time.monotonic() < deadline and (part := read()):
        body += part
    return bytes(body[:MAX_BODY_BYTES])


def retry_after(value: str | None, now: datetime) -> int | None:
    """Seconds from `now`, of a Retry-After header in either form, at most `MAX_RETRY_AFTER`.

    None where it says nothing of use, or a moment that has passed: then the failure's own rule holds.
    """
    if value is None or len(value) > 64 or not value.isascii():
        return None
    value = value.strip()
    if value.isdigit():
        return min(int(value), MAX_RETRY_AFTER) or None
    moment = http_date(value)
    if moment is None or moment <= now:
        return None
    return min(int((moment - now).total_seconds()) + 1, MAX_RETRY_AFTER)


def http_date(value: str) -> datetime | None:
    """The moment of a date in any of HTTP's three forms (RFC 9110, 5.6.7); None where it is none.

    It is UTC whatever its zone is called, for a name such as CST means several; an offset in figures counts.
    """
    parts, offset = parsedate(value), _OFFSET.search(value)
    if parts is None:
        return None
    year, month, day, hour, minute, second = parts[:6]
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # 60 is a leap second
        return moment - _ahead(*offset.groups()) if offset else moment
    except (ValueError, OverflowError):
        return None


def _ahead(sign: str, hours: str, minutes: str) -> timedelta:
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    return -ahead if sign == "-" else ahead


def _now(headers: Mapping[str, str]) -> datetime:
    """By the provider's own clock where it tells: its other dates go by that one, and ours may be wrong."""
    return http_date(headers.get("date", "")) or datetime.now(UTC)


def _is_too_long(status: int, error: _Error) -> bool:
    said = f"{error.message} {error.code} {error.type}"
    return status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _TOO_LONG.search(said) is not None


def _error(body: bytes) -> _Error:
    try:
        error = msgspec.json.decode(body, type=_Body).error
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _Error()
    return _Error(error) if isinstance(error, str) else error
