"""Anthropic's Messages API: what its clients ask, answered and metered as all that programs ask is."""

from flask import Blueprint, Response

from flask_app.services.gateway import gateway_service
from flask_app.services.gateway.message_answers import StreamedMessage, WholeMessage
from flask_app.services.gateway.message_faults import MessageFaultReply
from flask_app.services.gateway.message_objects import Message
from flask_app.utils import require_token
from flask_app.web import limits, programs
from flask_app.web.bodies import accepts, fails_as, returns, streams
from flask_app.web.long_bodies import WITH_IMAGES
from flask_app.web.messages import CountedTokens, MessagePrompt, MessageRequest
from flask_app.web.program_requests import answered, once, origin
from flask_app.web.readers import limits_readers

blueprint = Blueprint("messages", __name__, url_prefix=programs.MESSAGES)


@blueprint.post("")
@require_token
@limits.asks_for_an_answer
@limits_readers
@accepts(MessageRequest, most=WITH_IMAGES)
@returns(Message)
@streams
@once
@fails_as(MessageFaultReply)
def create(body: MessageRequest) -> Response | Message:
    """Answer messages as Anthropic does: whole, or as events with `stream`.

    It counts as the person's message does, against the same rates, cap and budgets. See docs/gateway.md.
    """
    return answered(body, WholeMessage, StreamedMessage)


@blueprint.post("/count_tokens")
@require_token
@accepts(MessagePrompt, most=WITH_IMAGES)
@returns(CountedTokens)
@fails_as(MessageFaultReply)
def count_tokens(body: MessagePrompt) -> CountedTokens:
    """About how many tokens a prompt has: an estimate, for which no provider is asked."""
    programs.logged().ask_for(body.model)
    return CountedTokens(input_tokens=gateway_service.estimate(programs.visit(), body.asked(), origin()))
