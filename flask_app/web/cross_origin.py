"""Pages of other websites that ask the gateway: those that a token names, and never with a cookie.

A browser shows a page what it asked only where the reply says that it may. A reply says so for the origin that the
request's own token names; to the question that a browser asks beforehand, without a token, for any that some token
names.
"""

import re

from flask import Flask, Response, g, request

from flask_app.services.tokens import token_origin_service
from flask_app.web import program_limits, programs
from flask_app.web.program_requests import AGAIN

METHODS = "GET, POST"
KEPT_SECONDS = 600  # how long a browser may remember that it may ask
MAX_NAMES = 2000  # characters
_NAMES = re.compile(r"[A-Za-z0-9-]{1,64}(?: ?, ?[A-Za-z0-9-]{1,64})*")
_LIMITS = (*program_limits.OF_OPENAI, *program_limits.OF_ANTHROPIC, "retry-after", "x-should-retry")
_SHOWN = ", ".join((*_LIMITS, "x-request-id", "request-id", AGAIN.lower()))


def init_app(app: Flask) -> None:
    app.before_request(_answer_beforehand)
    app.after_request(_show)


def _answer_beforehand() -> Response | None:
    """To a browser's question whether a page may ask; None where none does, or the page may not."""
    headers = request.headers
    if request.method != "OPTIONS" or not programs.is_program() or "Access-Control-Request-Method" not in headers:
        return None
    origin, names = headers.get("Origin", ""), headers.get("Access-Control-Request-Headers", "")
    if not token_origin_service.is_named(origin):
        return None
    response = Response(status=204)
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Methods"] = METHODS
    if len(names) <= MAX_NAMES and _NAMES.fullmatch(names):
        response.headers["Access-Control-Allow-Headers"] = names
    response.headers["Access-Control-Max-Age"] = str(KEPT_SECONDS)
    response.vary.update(("Origin", "Access-Control-Request-Headers"))
    return response


def _show(response: Response) -> Response:
    if "access" in g and (origin := programs.visit().origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _SHOWN
        response.vary.add("Origin")
    return response
