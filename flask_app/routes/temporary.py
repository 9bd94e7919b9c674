"""Temporary chats: their messages are the page's, and nothing of them is written down."""

from typing import Annotated, Literal

import msgspec
from flask import Blueprint, Response, g

from flask_app.domain.serving import Thinking
from flask_app.services.chat.chat_service import Origin
from flask_app.services.chat.prompts import Turn
from flask_app.services.conversations import temporary_service
from flask_app.services.conversations.temporary_service import Talk
from flask_app.utils import get_current_user, require_login
from flask_app.web import limits
from flask_app.web.bodies import MAX_BODY_BYTES, Body, IdempotencyKey, accepts, returns, streams
from flask_app.web.client import client_address
from flask_app.web.events import run_stream
from flask_app.web.message_usage import MessageUsageReply, message_usage_reply
from flask_app.web.readers import limits_readers

MOST_MESSAGES = 4096

blueprint = Blueprint("temporary", __name__, url_prefix="/api")


class Said(Body):
    role: Literal["user", "assistant"]
    content: str


class AskTemporarily(Body):
    messages: Annotated[list[Said], msgspec.Meta(min_length=1, max_length=MOST_MESSAGES)]
    idempotency_key: IdempotencyKey
    model: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    thinking: Thinking = False


@blueprint.post("/temporary/answers")
@require_login
@limits.asks_for_an_answer
@limits_readers
@accepts(AskTemporarily, most=MAX_BODY_BYTES)
@streams
def ask(body: AskTemporarily) -> Response:
    """Answer the last of these messages, none of which is kept: the answer comes as an event stream, as for sending.

    The ids of `start` are null but for the run's. The same body under the same `idempotency_key` again gives the same
    answer while its events can be had, another body 409. Nobody following it for 20 seconds ends it.
    """
    user = get_current_user()
    limits.count_message(user.id, body.idempotency_key)
    talk = Talk(
        turns=[Turn(said.role, said.content) for said in body.messages if said.content or said.role == "user"],
        model=body.model,
        thinking=body.thinking,
        idempotency_key=body.idempotency_key,
    )
    origin = Origin(request_id=g.request_id, address=client_address(), locale=g.locale, models=g.allowed_models)
    return run_stream(temporary_service.ask(user, talk, origin).run_id, after=0)


@blueprint.get("/runs/<run_id>/usage")
@require_login
@returns(MessageUsageReply)
def usage(run_id: str) -> MessageUsageReply:
    """What a run took: tokens, cost, time."""
    return message_usage_reply(temporary_service.details(get_current_user(), run_id))
