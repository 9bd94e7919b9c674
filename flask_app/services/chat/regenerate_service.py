"""Answering a question once more: another answer beside those that it has, by any model that can answer."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from sqlalchemy import Row, insert, select
from sqlalchemy.engine import Connection

from flask_app.database import new_id, reading, table_of, utc_now
from flask_app.domain.serving import ServedModel, Thinking
from flask_app.domain.tree import path_to
from flask_app.domain.web_sources import FOUND
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import Conversation, Message, User
from flask_app.services.chat import beginning, chat_service, history, instructions, knowledge, looked_up
from flask_app.services.chat.chat_service import Origin
from flask_app.services.chat.history import Said
from flask_app.services.chat.knowledge import Knowledge
from flask_app.services.chat.looked_up import Inquiry
from flask_app.services.chat.opening import Opening, writing
from flask_app.services.completion import failover
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.conversations import archive_service
from flask_app.services.providers import model_service
from flask_app.services.providers.key_service import Candidate
from flask_app.services.runs.run_events import Begun
from flask_app.services.tools.toolbox import Toolbox
from flask_app.services.web_search.searchers import Searcher
from flask_app.statements import Act, Prepared

_INSERT_ANSWER = Prepared(insert(table_of(Message)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which question is to be answered once more, and how; without a `model` the default one answers.

    With `search` it is looked up on the web, unless something was found for it before; `tools` are what the model may
    call for it.
    """

    question_id: str
    model: str | None = None
    thinking: Thinking = False
    search: bool = False
    tools: tuple[str, ...] = ()
    idempotency_key: str | None = None

    @property
    def digest(self) -> str:
        """The same for wishes for the same thing."""
        tools = [{"tools": sorted(set(self.tools))}] if self.tools else []
        search = [{"search": True}] if self.search else []
        asked = ["answer", self.question_id, self.model, self.thinking, *search, *tools]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


class Beside(NamedTuple):
    """What is known beside what was said, who looks the question up on the web, and what may be called for it."""

    known: Knowledge
    by: Searcher | None
    tools: Toolbox | None


def regenerate(actor: User, wish: Wish, origin: Origin) -> Begun:
    """Begin another answer to a question; gives the earlier run for a repeated idempotency key.

    Raises NotFound for somebody else's question, Invalid("not_a_question") for an answer, Conflict("answer_running")
    while the question is being answered; and what sending a message raises, a search or tools among it.
    """
    if earlier := chat_service.earlier_run(actor, wish.idempotency_key, wish.digest, origin.locale):
        return earlier
    question = _find(actor, wish.question_id)
    model = model_service.find(wish.model, origin.models)
    keys = failover.candidates_for(model)
    known = knowledge.of_question(actor, question.conversation_id, wish.question_id, origin.asker(actor))
    tools = looked_up.toolbox(actor, wish.tools, model)
    beside = Beside(known, looked_up.searcher(actor, wanted=wish.search), tools)
    begun = _begun(question, wish, origin)
    opening = Opening(actor, begun, wish.idempotency_key, wish.digest)
    return beginning.begin(
        lambda connection: (begun, _write(connection, opening, wish, model, keys, beside, origin)),
        earlier=partial(chat_service.earlier_run, actor, wish.idempotency_key, wish.digest, origin.locale),
        check=partial(_find, actor, wish.question_id),
    )


def _begun(question: Row[str, str, str], wish: Wish, origin: Origin) -> Begun:
    return Begun(
        run_id=new_id(),
        conversation_id=question.conversation_id,
        user_message_id=wish.question_id,
        message_id=new_id(),
        title=question.title,
        locale=origin.locale,
    )


def _find(actor: User, question_id: str) -> Row[str, str, str]:
    query = (
        select(Message.role, Message.conversation_id, Conversation.title)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id == question_id, Conversation.user_id == actor.id)
    )
    with reading() as session:
        found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound
    if found.role != "user":
        raise Invalid("not_a_question")
    return found


def _write(
    connection: Connection,
    opening: Opening,
    wish: Wish,
    model: ServedModel,
    keys: Sequence[Candidate],
    beside: Beside,
    origin: Origin,
) -> Ticket:
    begun, (known, by, tools) = opening.begun, beside
    chat_service.check_cap(connection, opening.actor)
    archive_service.bring_back(connection, opening.actor.id, begun.conversation_id)
    said = _said(connection, begun, with_thoughts=tools is not None)
    if said[-1].search and said[-1].search.status == FOUND:
        by = None  # a question is searched for once
    elif by:
        said[-1] = replace(said[-1], search=None)
    history.require_sight(said[-1], model, keys)
    by_assistant = instructions.of_conversation(connection, begun.conversation_id)
    turns, keys = known.told(by_assistant, said, model, keys)
    answer = {
        "id": begun.message_id,
        "conversation_id": begun.conversation_id,
        "parent_id": begun.user_message_id,
        "role": "assistant",
        "status": "running",
        "text": "",
        "reasoning": "",
        "model": model.name,
        "created_at": utc_now(),
    }
    written = [Act(_INSERT_ANSWER, [answer]), writing(opening)]
    request = chat_service.request_of(begun, opening.actor, model, turns, origin, thinking=wish.thinking)
    inquiry = Inquiry(begun.user_message_id, said[-1].text, by, tools)
    return looked_up.dispatch(connection, request, keys, inquiry, before=written)


def _said(connection: Connection, begun: Begun, *, with_thoughts: bool) -> list[Said]:
    """What led to the question, and the question itself."""
    messages = history.messages_of(connection, begun.conversation_id)
    try:
        path = path_to(begun.user_message_id, messages)
    except KeyError as error:
        raise NotFound from error
    if any(message.parent_id == begun.user_message_id and message.status == "running" for message in messages):
        raise Conflict("answer_running")
    return history.asked_on(connection, path, with_thoughts=with_thoughts)
