"""What goes wrong, in the shape that clients of Anthropic's Messages API know: a type and a sentence."""

from http import HTTPStatus

import msgspec

from flask_app.errors import AppError
from flask_app.services.gateway import gateway_errors

OVERLOADED = 529  # what Anthropic answers while it has no room
_BUSY = frozenset({"upstream_busy", "upstream_overloaded"})
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    OVERLOADED: "overloaded_error",
}
# Agents look for these words to know that it is time to shorten a conversation.
_TOO_LONG = "prompt is too long"


class MessageFault(msgspec.Struct):
    type: str
    message: str


class MessageFaultReply(msgspec.Struct):
    """What every failure of the Messages API looks like."""

    type: str
    error: MessageFault
    request_id: str


def status(error: AppError) -> int:
    """The HTTP status that it is told with."""
    return OVERLOADED if error.code in _BUSY else gateway_errors.refusal(error).status


def fault(error: AppError, message: str, request_id: str) -> MessageFaultReply:
    told = status(error)
    by_range = "api_error" if told >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    is_too_long = gateway_errors.refusal(error).code == "context_length_exceeded"
    said = f"{_TOO_LONG}: {message}" if is_too_long else message
    return MessageFaultReply("error", MessageFault(_TYPES.get(told, by_range), said), request_id)
