"""Who asks under /v1: a program with a personal access token. No cookie is read there, and none set."""

import re
from typing import cast

from flask import after_this_request, g, has_request_context, request
from werkzeug.wrappers import Response

from flask_app.services import token_service
from flask_app.services.token_service import Visit

PREFIX = "/v1/"
MAX_BEARER = 200
_BEARER = re.compile(r"[Bb]earer ([!-~]+)")


def is_program() -> bool:
    """Is the request for the gateway? None is once its reply is on the way: what is said then is said to a person."""
    return has_request_context() and request.path.startswith(PREFIX)


def load() -> Visit | None:
    """Whose token it is; that it was used is noted once the reply is out."""
    given = request.headers.get("Authorization", "")
    bearer = _BEARER.fullmatch(given) if len(given) <= MAX_BEARER else None
    visited = token_service.visit(bearer[1]) if bearer else None
    if visited is not None:
        g.access = visited
        after_this_request(lambda response: _noting(response, visited))
    return visited


def visit() -> Visit:
    """The token's, in a view that requires one."""
    return cast("Visit", g.access)


def _noting(response: Response, visited: Visit) -> Response:
    response.call_on_close(lambda: token_service.note_used(visited))
    return response
