"""A provider that refuses a request: what its status means, when to come back, and its own words."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate
from http import HTTPStatus
from typing import Annotated

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

# How providers say by another status than its own that an account is empty, in the error's code or type: OpenAI,
# Moonshot, DashScope and Zhipu. And that a key is none, whatever was asked: Gemini.
_NO_BALANCE = {"insufficient_quota", "billing_hard_limit_reached", "exceeded_current_quota_error", "Arrearage", "1113"}
_NO_KEY, _NO_KEY_WORDS = "API_KEY_INVALID", "API key not valid"
_SAID_OTHERWISE = (400, 402, 403, 429)
# What a 403 speaks of where it is about the account; of anything else, and of a prompt that was flagged, no key is to
# blame. Where it says nothing that can be read, the address of this machine may be shut out.
_OF_THE_ACCOUNT = re.compile(
    r"(?<![a-z])keys?(?![a-z])|auth(?!ors?\b)|permission|access|region|countr|territor|balance|quota|billing|credit"
    r"|account|suspend|(?<![a-z])ip(?![a-z])|(?<![a-z])forbidden|denied|expired|subscription"
    r"|not active|inactive|disabled|密钥|认证|鉴权|权限|地区|余额|欠费|账户|账号|已过期|禁用",
    re.IGNORECASE,
)
_FLAGGED = re.compile(
    r"flagged|moderation|content.?(policy|filter)|safety|sensitive|inappropriate|content violates|usage guidelines"
    r"|(forbidden|denied|disabled) (words?|content|topics?|keywords?|terms?|phrases?)\b|敏感|违规内容|禁用词",
    re.IGNORECASE,
)

# What a status means: code, and whether another key may do better.
_CODES = {
    401: ("upstream_key_refused", True),
    402: ("upstream_no_balance", True),
    403: ("upstream_key_refused", True),
    404: ("upstream_rejected", True),  # a model that this account, or this provider, has no more
    408: ("upstream_timeout", True),
    409: ("upstream_failed", True),  # nothing that a request for an answer could be in conflict with
    425: ("upstream_failed", True),
    429: ("upstream_busy", True),
    503: ("upstream_overloaded", True),
    504: ("upstream_timeout", True),
}


class _Error(msgspec.Struct):
    message: str = ""
    code: object = None
    type: object = None
    details: msgspec.Raw = msgspec.Raw(b"[]")

    @property
    def said(self) -> str:
        return f"{self.message} {self.code} {self.type}"


class _Detail(msgspec.Struct):
    reason: object = None


class _Body(msgspec.Struct):
    """xAI's error is words alone, with its code beside them."""

    error: _Error | str
    code: object = None


def refusal(status: int, headers: Mapping[str, str], body: bytes, secret: str) -> UpstreamError:
    """The error for a response that is no answer. `headers` are found in any case; `body` may be cut off."""
    if status == HTTPStatus.OK or 300 <= status < 400:  # of a 200 that is packed its provider has worked
        return UpstreamError("upstream_garbage", retryable=status >= 300, status=status)
    error = _error(body)
    code, retryable = _meaning(status, error)
    return UpstreamError(
        code,
        retryable=retryable,
        status=status,
        retry_after=retry_after(headers.get("retry-after"), _now(headers)),
        detail=presentable(error.message, secret) or None,
    )


def _meaning(status: int, error: _Error) -> tuple[str, bool]:
    if status in _SAID_OTHERWISE and {str(error.code), str(error.type)} & _NO_BALANCE:
        return _CODES[402]
    if status in _SAID_OTHERWISE and _names_no_key(error):
        return _CODES[401]
    if status == HTTPStatus.FORBIDDEN and not _is_of_the_account(error):
        return "upstream_rejected", True
    if status in MISUNDERSTOOD and _is_too_long(status, error):
        return "conversation_too_long", False
    fault = ("upstream_failed", True) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ("upstream_rejected", False)
    return _CODES.get(status, fault)


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


def _names_no_key(error: _Error) -> bool:
    """Words count from their beginning alone: further on they may be what was asked."""
    if error.message.startswith(_NO_KEY_WORDS) or _NO_KEY in (error.code, error.type):
        return True
    try:
        return any(detail.reason == _NO_KEY for detail in msgspec.json.decode(error.details, type=list[_Detail]))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False


def _is_of_the_account(error: _Error) -> bool:
    is_opaque = not error.message and error.code is None and error.type is None
    return is_opaque or (_OF_THE_ACCOUNT.search(error.said) is not None and not _FLAGGED.search(error.said))


def _is_too_long(status: int, error: _Error) -> bool:
    return status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _TOO_LONG.search(error.said) is not None


def _error(body: bytes) -> _Error:
    """Gemini tells it as the one of a list."""
    try:
        told = msgspec.json.decode(body, type=_Body | Annotated[list[_Body], msgspec.Meta(min_length=1)])
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _Error()
    first = told[0] if isinstance(told, list) else told
    error = first.error
    return _Error(error, first.code) if isinstance(error, str) else error
