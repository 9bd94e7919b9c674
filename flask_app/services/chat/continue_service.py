"""Going on with an answer that broke off: a new run on the same message, whose text grows from where it was."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import and_, bindparam, exists, func, or_, select, update
from sqlalchemy.engine import Connection

from flask_app.database import new_id, reading, table_of
from flask_app.domain.serving import EFFORTS, Allowed, ServedModel, Thinking
from flask_app.domain.tree import path_to
from flask_app.errors import Conflict, Forbidden, Invalid, NotFound
from flask_app.i18n import language_of, translate
from flask_app.models import Attempt, Conversation, Message, Run, User
from flask_app.services.chat import beginning, chat_service, history, instructions, knowledge
from flask_app.services.chat.chat_service import Origin
from flask_app.services.chat.history import Node, Said
from flask_app.services.chat.knowledge import Knowledge
from flask_app.services.chat.opening import Opening, writing
from flask_app.services.completion import dispatching, failover
from flask_app.services.completion.attempts import Earlier
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.providers import model_service
from flask_app.services.providers.key_service import Candidate
from flask_app.services.runs import run_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.tools import tool_calls

_messages = table_of(Message)
_BROKEN_OFF = or_(
    _messages.c.status.in_(["interrupted", "left", "stopped"]),
    and_(_messages.c.status == "complete", _messages.c.finish_reason == "length", _messages.c.text != ""),
)
_TAKE_UP = (
    update(_messages)
    .where(_messages.c.id == bindparam("message"), _BROKEN_OFF)
    .values(status="running", finish_reason=None, error_code=None)
)
# Without an error where its process was told to end, with this one where it died, or never knew of it.
_BROKE_OFF_HERE = select(
    exists().where(
        Run.id == bindparam("run"),
        Run.user_id == bindparam("person"),
        Message.id == Run.message_id,
        Message.status == "interrupted",
        or_(Message.error_code.is_(None), Message.error_code == "interrupted"),
    )
)
_COUNT_RUNNING = select(func.count()).where(Run.conversation_id == bindparam("conversation"), Run.status == "running")
_EFFORT = select(Attempt.effort).where(Attempt.run_id == bindparam("run"), Attempt.effort.is_not(None)).limit(1)
_WORDS = select(Message.text, Message.reasoning, Message.thinking_ms).where(Message.id == bindparam("message"))


def go_on(actor: User, run_id: str, origin: Origin, *, idempotency_key: str | None = None) -> Begun:
    """Begin a run that goes on with the answer of `run_id`; gives the earlier one for a repeated idempotency key.

    Raises NotFound for somebody else's run, Conflict("answer_running") while something is written in its
    conversation, Conflict("cannot_continue") for an answer that did not break off, or is followed by another message;
    and what sending a message raises. One that was stopped before its first word begins anew.
    """
    digest = hashlib.sha256(f"continue {run_id}".encode()).hexdigest()
    if earlier := chat_service.earlier_run(actor, idempotency_key, digest, origin.locale):
        return earlier
    broken, title, model_name = _find(actor, run_id)
    model = _model(model_name, origin.models)
    keys = failover.candidates_for(model)
    begun = Begun.of(broken, title, origin.locale, run_id=new_id())
    known = knowledge.of_question(actor, begun.conversation_id, begun.user_message_id, origin.asker(actor))
    opening = Opening(actor, begun, idempotency_key, digest)
    return beginning.begin(
        lambda connection: (begun, _write(connection, opening, run_id, model, keys, known, origin)),
        earlier=partial(chat_service.earlier_run, actor, idempotency_key, digest, origin.locale),
        check=partial(run_service.owned, actor, run_id),
    )


def is_no_new_message(actor: User, run_id: str, idempotency_key: str | None) -> bool:
    """Does whoever goes on with the answer send nothing new? This site broke it off, or their key began it before.

    Looked at in this order: it has broken off here until a run, with its key, takes it up.
    """
    return _broke_off_here(actor, run_id) or run_service.is_begun(actor.id, idempotency_key)


def _broke_off_here(actor: User, run_id: str) -> bool:
    with reading() as session:
        return bool(session.scalar(_BROKE_OFF_HERE, {"run": run_id, "person": actor.id}))


def _find(actor: User, run_id: str) -> tuple[Run, str, str | None]:
    with reading() as session:
        found = session.execute(
            select(Run, Conversation.title, Message.model)
            .join(Conversation, Conversation.id == Run.conversation_id)
            .join(Message, Message.id == Run.message_id)
            .where(Run.id == run_id, Run.user_id == actor.id)
        ).one_or_none()
    if found is None:
        raise NotFound
    run, title, model = found
    return run, title, model


def _model(name: str | None, allowed: Allowed) -> ServedModel:
    """The answer's own model; the default one where that is gone, or allowed no more."""
    try:
        return model_service.find(name, allowed)
    except (Invalid, Forbidden):
        return model_service.find(None, allowed)


def _write(
    connection: Connection,
    opening: Opening,
    broken_id: str,
    model: ServedModel,
    keys: Sequence[Candidate],
    known: Knowledge,
    origin: Origin,
) -> Ticket:
    begun = opening.begun
    chat_service.check_cap(connection, opening.actor)
    if connection.scalar(_COUNT_RUNNING, {"conversation": begun.conversation_id}):
        raise Conflict("answer_running")
    messages = history.messages_of(connection, begun.conversation_id)
    is_followed = any(message.parent_id == begun.message_id for message in messages)
    if is_followed or connection.execute(_TAKE_UP, {"message": begun.message_id}).rowcount != 1:
        raise Conflict("cannot_continue")
    words = connection.execute(_WORDS, {"message": begun.message_id}).one()
    earlier = Earlier(*words)
    question = path_to(begun.user_message_id, messages)
    by_assistant = instructions.of_conversation(connection, begun.conversation_id)
    turns, keys = known.told(by_assistant, _said(connection, question, begun), model, keys)
    request = replace(
        chat_service.request_of(
            begun, opening.actor, model, turns, origin, thinking=_thinking(connection, broken_id, earlier)
        ),
        earlier=earlier,
        go_on=_request_to_go_on(question[-1].text + words.text),
    )
    return dispatching.dispatch(connection, request, keys, before=[writing(opening, earlier)])


def _said(connection: Connection, question: Sequence[Node], begun: Begun) -> list[Said]:
    """With the calls of tools that were made for what is gone on with: none is made any more."""
    *before, asked = history.asked_on(connection, question)
    made = tool_calls.of_messages(connection, [begun.message_id])
    return [*before, replace(asked, calls=made.get(begun.message_id, ()))]


def _thinking(connection: Connection, broken_id: str, earlier: Earlier) -> Thinking:
    """Where there is a text it has been thought already; what broke off in thoughts thinks anew, as hard."""
    if earlier.text or not earlier.reasoning:
        return False
    effort = connection.scalar(_EFFORT, {"run": broken_id})
    return next((known for known in EFFORTS if known == effort), True)


def _request_to_go_on(conversation: str) -> str:
    """In the language of the conversation, as far as there are words of ours in it."""
    return translate(language_of(conversation), "chat.go_on")
