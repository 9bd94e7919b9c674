"""The chat's API: send, follow, stop; conversations and models."""

from datetime import timedelta
from functools import partial
from typing import Annotated

import msgspec
from flask import Blueprint, Response, g

from flask_app.domain.blank import is_blank
from flask_app.errors import Invalid, NotFound, Unavailable
from flask_app.models import User
from flask_app.services.chat import chat_service, continue_service, input_cost, regenerate_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.chat.regenerate_service import Wish
from flask_app.services.conversations import conversation_lists, conversation_service
from flask_app.services.files import file_service
from flask_app.services.files.document_parts import Wanted
from flask_app.services.runs import stop_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.usage import message_usage
from flask_app.utils import get_current_user, require_login
from flask_app.web import limits, supervision
from flask_app.web.arguments import number, word
from flask_app.web.asking import AnswerAgain, GoOn, SendMessage
from flask_app.web.bodies import (
    MAX_BODY_BYTES,
    Body,
    Reply,
    accepts,
    queries,
    refuses,
    returns,
    streams,
)
from flask_app.web.client import client_address
from flask_app.web.events import last_event_id, run_stream, wants_events, whole_answer
from flask_app.web.message_usage import MessageUsageReply, message_usage_reply
from flask_app.web.models import InputCostReply, ModelsReply, input_cost_reply, models_reply
from flask_app.web.readers import limits_readers
from flask_app.web.threads import (
    ConversationReply,
    ConversationsReply,
    MessageReply,
    ThreadReply,
    conversation_reply,
    conversations_reply,
    message_reply,
    thread_reply,
)

blueprint = Blueprint("api", __name__, url_prefix="/api")


class NewTitle(Body):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Answer(MessageReply):
    """The whole answer, for a client that does not stream."""

    conversation_id: str
    user_message_id: str
    title: str


class Stopping(Reply):
    status: str


@blueprint.post("/chat")
@require_login
@limits.asks_for_an_answer
@limits_readers
@accepts(SendMessage, most=MAX_BODY_BYTES)
@returns(Answer)
@streams
def send(body: SendMessage) -> Response:
    """Send a message: the answer comes as an event stream, or whole to a client that accepts only JSON.

    The whole comes with status 200, blanks before it keep the line alive: `status` and `error` say how it ended.
    It follows the message `parent_id`, the newest one where that is absent, or none (another beginning) for null.
    `thinking` is whether it is thought about first, or with which effort: a model that knows none thinks as it likes.
    `files` are ten at most, each once, by an id alone or with how a document is told: whole, some pages, or searched.
    Where there are some, `message` may be empty.
    A new conversation may have an assistant, `assistant_id`: its instructions come first, also in what is asked there
    later; with `conversation_id` it is refused. Which model answers, and how it thinks, is said here as always.
    With `search` the question is looked up on the web first, and links in it are opened: the events `searching` and
    `sources` tell of it, the question's `search` keeps what was found. Where one may not search it is refused (403
    `search_off`).
    `tools` are what the model may call: `web`, or servers by their ids. The event `tool` tells of each call whenever it
    stands differently, `found` of what they found on the web; the answer's `calls` and `search` keep them. What is not
    for one's group is refused (403 `tool_not_granted`), as are more than 128 together (422 `too_many_tools_chosen`).
    The same body under the same `idempotency_key` again gives the same answer, another body 409.
    """
    user = get_current_user()
    supervision.require_seen()
    if body.files:
        file_service.require_room(g.file_quota_mb)
    limits.count_message(user.id, body.idempotency_key)
    draft = Draft(
        text=body.message,
        conversation_id=body.conversation_id,
        parent_id=body.parent_id or None,
        at_root=body.parent_id is None,
        model=body.model,
        thinking=body.thinking,
        files=tuple(Wanted(each) if isinstance(each, str) else each.wanted() for each in body.files),
        assistant_id=body.assistant_id,
        search=body.search,
        tools=tuple(body.tools),
        idempotency_key=body.idempotency_key,
    )
    return _answer(chat_service.send(user, draft, _origin()))


@blueprint.post("/messages/<user_message_id>/answers")
@require_login
@limits.asks_for_an_answer
@limits_readers
@accepts(AnswerAgain)
@returns(Answer)
@streams
def answer_again(user_message_id: str, body: AnswerAgain) -> Response:
    """Answer a question once more: another answer beside those that it has, by `model`, else by the default one.

    With `search` it is looked up on the web first, unless something was found for it before; `tools` as for sending.
    The reply is as for sending. 409 while the question is being answered. The same body under the same
    `idempotency_key` again gives the same answer, another body 409.
    """
    user = get_current_user()
    supervision.require_seen()
    limits.count_message(user.id, body.idempotency_key)
    wish = Wish(
        question_id=user_message_id,
        model=body.model,
        thinking=body.thinking,
        search=body.search,
        tools=tuple(body.tools),
        idempotency_key=body.idempotency_key,
    )
    return _answer(regenerate_service.regenerate(user, wish, _origin()))


@blueprint.get("/messages/<message_id>/usage")
@require_login
@returns(MessageUsageReply)
def usage(message_id: str) -> MessageUsageReply:
    """What an answer took: tokens, cost, time."""
    return message_usage_reply(message_usage.details(get_current_user(), message_id))


@blueprint.post("/runs/<run_id>/continue")
@require_login
@limits.asks_for_an_answer
@limits_readers
@accepts(GoOn)
@returns(Answer)
@streams
def go_on(run_id: str, body: GoOn) -> Response:
    """Go on with an answer that was stopped, left, interrupted or cut at its length: a new run, on the same message.

    The reply is as for sending; what there was of the answer comes first, and one that has no word yet begins anew. 409
    while something is written in the conversation, and for an answer that did not break off or is followed by another
    message. The same `idempotency_key` again gives the same run.
    """
    user = get_current_user()
    if continue_service.is_no_new_message(user, run_id, body.idempotency_key):
        limits.count_request()
    else:
        supervision.require_seen()
        limits.count_message(user.id, body.idempotency_key)
    return _answer(continue_service.go_on(user, run_id, _origin(), idempotency_key=body.idempotency_key))


@blueprint.get("/runs/<run_id>/events")
@require_login
@limits_readers
@streams
@queries(after="The number of the last event the reader has; the header Last-Event-ID says the same.")
def follow(run_id: str) -> Response:
    """The same stream again, from after the last event the reader has."""
    return run_stream(run_id, after=last_event_id())


@blueprint.post("/runs/<run_id>/stop")
@require_login
@returns(Stopping, 202)
def stop(run_id: str) -> Stopping:
    """Stop the answer; what has come stays."""
    return Stopping(status=stop_service.stop(get_current_user(), run_id))


@blueprint.get("/models")
@require_login
@returns(ModelsReply)
def models() -> ModelsReply:
    """The models that can answer now."""
    return models_reply()


@blueprint.get("/models/input-cost")
@require_login
@returns(InputCostReply)
@queries(
    model="Its id, name or alias; the default one without it.",
    tokens="How many; none without it.",
    new="How many of them are sent for the first time, and can be in no cache; none without it.",
)
def cost_of_input() -> InputCostReply:
    """What so many tokens of a conversation cost now when the next message sends them along, before its answer."""
    tokens, new = number("tokens", 0), number("new", 0)
    return input_cost_reply(input_cost.of(word("model"), tokens, new, g.allowed_models))


@blueprint.get("/conversations")
@require_login
@returns(ConversationsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def conversations() -> ConversationsReply:
    """One's own conversations, the newest first; with the first page all that are pinned. Archived ones are apart."""
    user, before, limit = get_current_user(), word("before"), number("limit", conversation_lists.PAGE)
    page = conversation_lists.listed(user, before=before, limit=limit)
    return conversations_reply(*page, () if before else conversation_lists.pinned(user))


@blueprint.get("/conversations/<conversation_id>")
@require_login
@returns(ThreadReply)
def conversation(conversation_id: str) -> ThreadReply:
    """A conversation with its messages."""
    return thread_reply(conversation_service.thread(get_current_user(), conversation_id))


@blueprint.patch("/conversations/<conversation_id>")
@require_login
@accepts(NewTitle)
@returns(ConversationReply)
def rename(conversation_id: str, body: NewTitle) -> ConversationReply:
    """Give a conversation another title."""
    if is_blank(body.title):
        raise Invalid("empty_title")
    return conversation_reply(conversation_service.rename(get_current_user(), conversation_id, body.title))


@blueprint.delete("/conversations/<conversation_id>")
@require_login
@returns(None, 204)
@queries(decided_ms_ago="How long ago that was decided; what was asked in it since has undone it.")
@refuses(409, "`asked_meanwhile`: something was asked in it since that was decided, and it stays.")
def remove(conversation_id: str) -> None:
    """Delete a conversation and its messages. What it cost stays in the ledger."""
    decided_ago = timedelta(milliseconds=number("decided_ms_ago", 0))
    conversation_service.remove(get_current_user(), conversation_id, decided_ago=decided_ago)


def _origin() -> Origin:
    return Origin(request_id=g.request_id, address=client_address(), locale=g.locale, models=g.allowed_models)


def _answer(begun: Begun) -> Response:
    """The run's events as they come, or the whole answer once it has ended."""
    if wants_events():
        return run_stream(begun.run_id, after=0)
    return whole_answer(begun.run_id, partial(_stored_answer, get_current_user(), begun))


def _stored_answer(user: User, begun: Begun) -> Answer:
    thread = conversation_service.thread(user, begun.conversation_id)
    message = next((message for message in thread.messages if message.id == begun.message_id), None)
    if message is None:  # deleted between two looks
        raise NotFound
    if message.status == "running":  # another process makes it, and this one leaves
        raise Unavailable("restarting", retry_after=2)
    whole = message_reply(thread, message, begun.run_id)
    return Answer(
        **msgspec.structs.asdict(whole),
        conversation_id=begun.conversation_id,
        user_message_id=begun.user_message_id,
        title=begun.title,
    )
