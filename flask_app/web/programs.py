"""Who asks under /v1: a program with a personal access token. No cookie is read there, and none set."""

import re
import weakref
from typing import cast

from flask import Flask, after_this_request, current_app, g, has_request_context, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from flask_app.errors import BadRequest, Forbidden
from flask_app.services.gateway import request_log
from flask_app.services.gateway.program_keys import AskedUnder
from flask_app.services.gateway.request_log import OpenRequest
from flask_app.services.people import group_access
from flask_app.services.tokens import token_access_service, token_origin_service, token_service
from flask_app.services.tokens.token_service import Visit
from flask_app.web.bodies import encoded
from flask_app.web.client import client_address

PREFIX = "/v1/"
MESSAGES, MODELS = "/v1/messages", "/v1/models"
VERSION = "anthropic-version"  # a header that whoever speaks Anthropic's Messages API sends
KEY = "Idempotency-Key"
MAX_BEARER = 200
_KEY = re.compile("[!-~]{1,255}")
OTHER = "other"
_CALLS = {
    "gateway.complete": "chat.completions",
    "gateway.complete_text": "completions",
    "gateway.respond": "responses",
    "gateway.embed": "embeddings",
    "messages.create": "messages",
    "messages.count_tokens": "messages.count_tokens",
    "gateway.models": "models",
    "gateway.model": "models",
}
_BEARER = re.compile(r"[Bb]earer ([!-~]+)")


def init_app(app: Flask) -> None:
    """After its request has been counted: whoever has found a token may not try it without end."""
    app.before_request(_require_place)


def is_program() -> bool:
    """Is the request for the gateway? None is once its reply is on the way: what is said then is said to a person."""
    return has_request_context() and f"{request.path}/".startswith(PREFIX)


def is_beside() -> bool:
    """Is the address that of a call but for its /v1, which is missing or there twice?"""
    is_twice = request.path.startswith("/v1" + PREFIX)
    path = request.path.removeprefix("/v1") if is_twice else "/v1" + request.path
    try:
        endpoint, _ = current_app.url_map.bind("").match(path, request.method)
    except HTTPException:
        return False
    return endpoint in _CALLS


def speaks_messages() -> bool:
    """Does the program speak Anthropic's Messages API? Else it is OpenAI's that it speaks."""
    path = request.path
    return path.startswith(MESSAGES) or (path.startswith(MODELS) and VERSION in request.headers)


def is_elsewhere() -> bool:
    """Does the token come from where it may not be used? It then counts as a visit of that address, and no more."""
    is_so: bool = g.get("is_elsewhere", False)
    return is_so


def load() -> Visit | None:
    """Whose token it is; that it was used, and how the request went, is noted once the reply is out."""
    origin = token_origin_service.sent(request.headers.get("Origin", ""))
    visits = ((token_service.visit(secret, origin), secret) for secret in _given())
    visited, secret = next(((visited, secret) for visited, secret in visits if visited is not None), (None, ""))
    if visited is not None:
        g.access = visited
        g.is_elsewhere = not token_access_service.admits(visited.networks, client_address())
        if KEY in request.headers:
            g.secret = secret
        g.logged = logged = _logged(visited)
        g.hears_body = logged.hear
        after_this_request(lambda response: _noting(response, visited, logged))
    return visited


def _given() -> list[str]:
    """What may be a token. Some programs send another service's key in the one header, and ours in the other."""
    given = request.headers.get("Authorization", "")
    bearer = _BEARER.fullmatch(given) if len(given) <= MAX_BEARER else None
    return [*([bearer[1]] if bearer else []), request.headers.get("X-Api-Key", "")]


def visit() -> Visit:
    """The token's, in a view that requires one."""
    return cast("Visit", g.access)


def asked_under(body: object, beside: object, *, is_whole: bool) -> AskedUnder | None:
    """The key that the request came under, in a view that requires a token; `beside` is asked too, if it is anything.

    Raises BadRequest for what is none.
    """
    if "secret" not in g:
        return None
    key = request.headers[KEY]
    if not _KEY.fullmatch(key):
        raise BadRequest("bad_idempotency_key", field=KEY)
    asked = encoded(body) + (encoded(beside) if beside else b"")
    return AskedUnder.of(g.secret, key, f"{request.path}\0".encode(), asked, is_whole=is_whole)


def logged() -> OpenRequest:
    """The request's entry in the log, in a view that requires a token."""
    return cast("OpenRequest", g.logged)


def is_unanswered() -> bool:
    """Is it a program's request, from where its token may be used, for which no answer was begun?"""
    return "logged" in g and not is_elsewhere() and g.logged.answer is None


def is_replayed() -> bool:
    """Was a program given a reply again that was there?"""
    return "logged" in g and g.logged.is_replayed


def leave_out() -> None:
    """A program that asks too fast is refused without a row in the log: else it could be filled without end."""
    if "logged" in g:
        g.logged.is_left_out = True


def fail(code: str) -> None:
    """Note what the program is told that it failed with, where it is known who asks."""
    if "logged" in g:
        g.logged.error_code = code


def give_up() -> None:
    """The request has ended without a reply: the server is about to stop."""
    if (logged := g.get("logged")) is not None and logged.status is None:
        logged.give_up()


def _logged(visited: Visit) -> OpenRequest:
    known = {"began": g.began} if "began" in g else {}
    return request_log.begin(
        OpenRequest(
            request_id=g.request_id,
            user_id=visited.user.id,
            token_id=visited.token_id,
            call=_CALLS.get(request.endpoint or "", OTHER),
            address=client_address(),
            keeps_words=visited.keeps_words,
            **known,
        )
    )


def _noting(response: Response, visited: Visit, logged: OpenRequest) -> Response:
    logged.status = response.status_code
    has_body, is_used = request.method != "HEAD", not is_elsewhere()
    ending = weakref.proxy(response)  # or each would hold the other, and all of the answer, until the collector comes

    def close() -> None:
        if has_body and not logged.is_stream:
            logged.bytes_sent = ending.calculate_content_length() or 0
        logged.close()
        if is_used:
            token_service.note_used(visited)

    response.call_on_close(close)
    return response


def _require_place() -> None:
    if is_elsewhere():
        raise Forbidden("address_not_allowed", address=client_address())
    if "access" in g:
        group_access.require_api(visit().access)
