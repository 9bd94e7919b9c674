"""What programs ask for as answers: counted, begun, and given whole or as a stream; what is known already, again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from flask import Response, g

from flask_app.services.chat.chat_service import Origin
from flask_app.services.gateway import gateway_service, program_keys
from flask_app.services.gateway.gateway_service import Asked
from flask_app.services.gateway.program_answers import ProgramAnswer, ProgramRun, Streamed, Whole
from flask_app.services.tokens import token_access_service
from flask_app.services.tokens.token_service import Visit
from flask_app.web import limits, long_bodies, program_limits, programs
from flask_app.web.bodies import heeds
from flask_app.web.client import client_address
from flask_app.web.completions import PassingBody
from flask_app.web.program_replies import streamed, whole

AGAIN = "Idempotent-Replayed"
once = heeds(programs.KEY, "What is sent again under the same key is answered and paid for once. See docs/gateway.md.")
Made = TypeVar("Made")
Given = TypeVar("Given")
Answer = TypeVar("Answer", bound=ProgramAnswer)


class AnswerBody(Protocol):
    """A request for an answer, checked."""

    model: str

    @property
    def stream(self) -> bool | None: ...

    def asked(self) -> Asked: ...


def answered(
    body: AnswerBody,
    make_whole: Callable[[ProgramRun], Whole[Made]],
    make_stream: Callable[[ProgramRun], Streamed] | None = None,
) -> Response | Made:
    """The answer to what `body` asks, by the one or the other."""
    programs.logged().ask_for(body.model)
    visited, asked = _visit(), body.asked()
    under = programs.asked_under(body, _unknown(body), is_whole=not body.stream)
    if under and (reply := program_keys.look(under)) is not None:
        programs.logged().is_replayed = True
        return Response(reply, content_type="application/json", headers={AGAIN: "true"})
    gateway_service.require_room(visited)
    limits.count_message_of(visited)
    if body.stream and make_stream:
        return _given(gateway_service.begin(visited, asked, origin(), make_stream, under), streamed)
    return _given(gateway_service.begin(visited, asked, origin(), make_whole, under), whole)


def _visit() -> Visit:
    """A long request ends with its program: a few that nobody waits for would keep the room for all of them."""
    visited = programs.visit()
    return replace(visited, on_disconnect=token_access_service.STOP) if long_bodies.is_long() else visited


def _unknown(body: AnswerBody) -> object:
    return list(body.unknown.items()) if isinstance(body, PassingBody) else None


def _given(answer: Answer, give: Callable[[Answer], Given]) -> Given:
    """The reply, also where it is a failure, tells how much of a budget is left after it, or after its prompt."""
    if answer.goes_on:
        long_bodies.keep_place_for(answer)
    try:
        return give(answer)
    finally:
        program_limits.allow(answer.begun.allowance, answer.used_tokens)


def origin() -> Origin:
    return Origin(request_id=g.request_id, address=client_address(), locale=g.locale)
