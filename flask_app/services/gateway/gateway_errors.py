"""What goes wrong at the gateway, in the shape that OpenAI's clients know: a status, a type, a code."""

from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from flask_app.domain import cooldown
from flask_app.errors import AppError, TokenRequired, Unavailable, UpstreamError
from flask_app.i18n import catalogue, translate

RETRY_SECONDS = 5  # where nobody knows better
_REJECTED, _GONE = HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND
_BUSY, _LATE = HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT

# Where the status is another than the chat's pages get.
_STATUSES = {
    "unknown_model": _GONE,
    "completions_not_offered": _GONE,
    "embeddings_not_offered": _GONE,
    "upstream_rejected": _REJECTED,
    "reply_too_long": _REJECTED,
    "too_many_long_replies": _REJECTED,  # it has been billed: who asks again by itself would have it billed twice
    "conversation_too_long": _REJECTED,
    "message_too_long_for_model": _REJECTED,
    "upstream_busy": _BUSY,
    "upstream_overloaded": _BUSY,
    "upstream_timeout": _LATE,
}
# Codes that clients of OpenAI look for.
_CODES = {
    "token_required": "invalid_api_key",
    "unknown_model": "model_not_found",
    "conversation_too_long": "context_length_exceeded",
    "message_too_long_for_model": "context_length_exceeded",
    "chat_rate_limited": "rate_limit_exceeded",
    "token_rate_limited": "rate_limit_exceeded",
    "request_rate_limited": "rate_limit_exceeded",
    "budget_exhausted": "insufficient_quota",
    "balance_exhausted": "insufficient_quota",
}
# Where asking again does not help before somebody has changed something.
_FINAL = frozenset({"insufficient_quota", "idempotency_key_used", "idempotency_key_reused"})
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class Fault(msgspec.Struct):
    """`param` names the field of the request that is meant, where one is."""

    message: str
    type: str
    code: str
    param: str | None = None


class StreamFault(Fault):
    """What ends a stream that has begun: its status and headers said nothing of it."""

    request_id: str = ""


class FaultReply(msgspec.Struct):
    """What every failure under /v1 looks like."""

    error: Fault


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a failure is answered. `final`: asking again does not help before somebody has changed something."""

    status: int
    type: str
    code: str
    retry_after: int | None
    final: bool


def refusal(error: AppError) -> Refusal:
    status = int(_STATUSES.get(error.code, error.status))
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        status = int(_REJECTED)
    code = _CODES.get(error.code, error.code)
    is_used_up = code == "insufficient_quota"
    kind = code if is_used_up else _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    waits = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE} and not is_used_up
    return Refusal(status, kind, code, error.retry_after or (RETRY_SECONDS if waits else None), code in _FINAL)


def failure(code: str, retry_after: int | None = None) -> AppError:
    """The error for how a run ended; `retry_after` is what its provider said of when to come back, in seconds."""
    if code == TokenRequired.code:
        return TokenRequired()
    if code in {"restarting", "not_saved_yet"}:
        return Unavailable(code)
    rule = cooldown.RULES.get(code)
    return UpstreamError(code, retry_after=retry_after if rule and rule.honours_retry_after else None)


def fault(error: AppError, message: str, param: str | None = None) -> FaultReply:
    told = refusal(error)
    return FaultReply(Fault(message, told.type, told.code, param))


def broken_off(code: str, locale: str, request_id: str) -> StreamFault:
    """The failure of a run whose stream had begun."""
    told = refusal(failure(code))
    return StreamFault(words(code, locale), told.type, told.code, request_id=request_id)


def words(code: str, locale: str, **params: object) -> str:
    """What a program is told; nothing of its answer is kept, so some sentences are others than the chat's."""
    own = f"gateway.{code}"
    return translate(locale, own if own in catalogue(locale) else f"error.{code}", **params)
