"""Failures as programs get them: in OpenAI's shape, with the field of the request that is meant, or in Anthropic's."""

import re

from flask import Response, g

from flask_app.errors import AppError
from flask_app.services.gateway import gateway_errors, message_faults
from flask_app.web import program_limits, programs
from flask_app.web.bodies import to_json

# How msgspec says where: a field that is missing or unknown, and the object that it is in.
_FIELD = re.compile(r"(?:unknown|required) field `([^`]{1,100})`")
_PLACE = re.compile(r" - at `\$\.([^`]{1,200})`")


def reply(error: AppError, message: str) -> Response:
    """`x-should-retry` tells both companies' own clients not to ask again in vain."""
    told = gateway_errors.refusal(error)
    programs.fail(told.code)
    program_limits.refuse(error)
    if programs.speaks_messages():
        said = message_faults.fault(error, message, g.get("request_id", ""))
        response = to_json(said, message_faults.status(error))
    else:
        response = to_json(gateway_errors.fault(error, message, _param(error)), told.status)
    if told.retry_after is not None:
        response.headers["Retry-After"] = str(told.retry_after)
    if told.final:
        response.headers["x-should-retry"] = "false"
    return response


def _param(error: AppError) -> str | None:
    if field := error.params.get("field"):
        return str(field)
    detail = str(error.params.get("detail", ""))
    found = [pattern.search(detail) for pattern in (_PLACE, _FIELD)]
    return ".".join(match[1] for match in found if match) or None
