"""Sending a message: checked, written down with an empty answer and a run in one transaction, then started."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from flask_app.database import new_id, reading, table_of, utc_now
from flask_app.domain.blank import is_blank
from flask_app.domain.serving import Allowed, ServedModel, Thinking
from flask_app.domain.telling import SEARCH, Way
from flask_app.errors import BadRequest, Conflict, Invalid, NotFound
from flask_app.models import Conversation, KeptDraft, Message, Run, User
from flask_app.services.budgets import budget_service
from flask_app.services.chat import beginning, history, instructions, knowledge, looked_up, opening, placing
from flask_app.services.chat.history import Said
from flask_app.services.chat.knowledge import Knowledge
from flask_app.services.chat.looked_up import Inquiry
from flask_app.services.chat.opening import Opening
from flask_app.services.chat.placing import Placed
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import dispatching, failover
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.embedding.asking import Asker
from flask_app.services.files import document_parts, message_files
from flask_app.services.files.document_parts import Wanted
from flask_app.services.providers import model_service
from flask_app.services.providers.key_service import Candidate
from flask_app.services.runs import run_cap
from flask_app.services.runs.run_events import Begun
from flask_app.services.tools.toolbox import Toolbox
from flask_app.services.web_search.searchers import Searcher
from flask_app.statements import Act, Prepared

CHANNEL = "chat"
MAX_MESSAGE_BYTES = 200_000

_INSERT_CONVERSATION = Prepared(insert(table_of(Conversation)))
_INSERT_MESSAGES = Prepared(insert(table_of(Message)))
# The words that are sent are no draft any more; what was begun meanwhile, under another key, stays.
_DELETE_DRAFT = Prepared(
    delete(table_of(KeptDraft)).where(KeptDraft.id == bindparam("place"), KeptDraft.message_key == bindparam("key"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person sends. It follows `parent_id`, else nothing if `at_root`, else the newest message.

    `files` are what goes with it. A new conversation may have an assistant. With `search` the question is looked up on
    the web first; `tools` are what the model may call for its answer (`offers.toolbox`).
    """

    text: str
    conversation_id: str | None = None
    parent_id: str | None = None
    at_root: bool = False
    model: str | None = None
    thinking: Thinking = False
    files: tuple[Wanted, ...] = ()
    assistant_id: str | None = None
    search: bool = False
    tools: tuple[str, ...] = ()
    idempotency_key: str | None = None

    @property
    def digest(self) -> str:
        """The same for drafts that ask the same thing in the same place."""
        place = (self.conversation_id, self.parent_id, self.at_root)
        files = [[each.asked for each in self.files]] if self.files else []
        assistant = [{"assistant": self.assistant_id}] if self.assistant_id else []
        search = [{"search": True}] if self.search else []
        tools = [{"tools": sorted(set(self.tools))}] if self.tools else []
        asked = [self.text, *place, self.model, self.thinking, *files, *assistant, *search, *tools]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


class Sending(NamedTuple):
    """A draft, how its documents are told, what is known beside them, who looks it up, and what may be called."""

    draft: Draft
    ways: Mapping[str, Way]
    known: Knowledge
    by: Searcher | None
    tools: Toolbox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from: its id, the client's address, the reader's language, the models that they may ask."""

    request_id: str
    address: str
    locale: str
    models: Allowed = None

    def asker(self, actor: User) -> Asker:
        """On whose account vectors are made for it."""
        return Asker(user_id=actor.id, request_id=self.request_id, address=self.address)


def send(actor: User, draft: Draft, origin: Origin) -> Begun:
    """Write the message down and start its answer; gives the earlier run for a repeated idempotency key.

    Raises BadRequest, Invalid or NotFound for what cannot be sent, TooMany at the cap of running answers,
    Conflict while the conversation's last answer is still being written, and Conflict("idempotency_key_reused")
    for a key that came with another draft before; Unavailable when nobody can be asked now, BudgetExhausted where a
    budget has no room for an answer, and the search before it; Forbidden("search_off"), Forbidden("tool_not_granted").
    """
    if is_blank(draft.text) and all(each.how == SEARCH for each in draft.files):  # for words it is searched
        raise Invalid("empty_message")
    check_text(draft.text)
    message_files.check(draft.files)
    if earlier := _earlier(actor, draft, origin.locale):
        return earlier
    model, offered = model_service.find_offered(draft.model, origin.models)
    keys = failover.candidates_for(model, offered)
    by, tools = looked_up.searcher(actor, wanted=draft.search), looked_up.toolbox(actor, draft.tools, model)
    asker = origin.asker(actor)
    ways = document_parts.ways(actor, draft.files, draft.text, model.context_tokens, asker)
    sending = Sending(draft, ways, _known(actor, draft, asker), by, tools)
    return beginning.begin(
        lambda connection: _write(connection, actor, sending, model, keys, origin),
        earlier=partial(_earlier, actor, draft, origin.locale),
        check=partial(_check_place, actor, draft),
    )


def _known(actor: User, draft: Draft, asker: Asker) -> Knowledge:
    """What the assistant knows of it, where there is one: read, and perhaps searched, while nobody waits for it."""
    if draft.conversation_id is None:
        return knowledge.of_new(actor, draft.assistant_id, draft.text, asker)
    return knowledge.of_conversation(actor, draft.conversation_id, lambda: draft.text, asker)


def _check_place(actor: User, draft: Draft) -> None:
    """Raises NotFound for a conversation, or an assistant, that was deleted in this moment."""
    with reading() as session:
        if draft.conversation_id and session.scalar(placing.owned(actor, draft.conversation_id)) is None:
            raise NotFound
        if draft.assistant_id and not draft.conversation_id:
            instructions.of_assistant(session.connection(), actor, draft.assistant_id)


def check_text(text: str) -> None:
    """Raises Invalid for what is longer than a message may be, BadRequest for what no database keeps."""
    if len(text.encode()) > MAX_MESSAGE_BYTES:
        raise Invalid("message_too_long", limit=MAX_MESSAGE_BYTES)
    if "\x00" in text:
        raise BadRequest


def _write(
    connection: Connection, actor: User, sending: Sending, model: ServedModel, keys: Sequence[Candidate], origin: Origin
) -> tuple[Begun, Ticket]:
    at = utc_now()
    dispatching.look_ahead(
        connection, (actor.id, None), keys, at, budget_service.turn(actor.id), run_cap.question(actor.id)
    )
    check_cap(connection, actor)
    now, draft = utc_now(), sending.draft
    ids = [each.id for each in draft.files]
    asked = Said("user", draft.text, message_files.take(connection, actor, ids, now, sending.ways))
    history.require_sight(asked, model, keys)
    placed = _place(connection, actor, draft, asked)
    begun = Begun(
        run_id=new_id(),
        conversation_id=placed.conversation_id,
        user_message_id=new_id(),
        message_id=new_id(),
        title=placed.title,
        locale=origin.locale,
        found_by=next((way.found_by for way in sending.ways.values() if way.found_by), None),
    )
    said = [*history.said_on(connection, placed.path, with_thoughts=sending.tools is not None), asked]
    turns, keys = sending.known.told(placed.assistant.told, said, model, keys)
    request = request_of(begun, actor, model, turns, origin, thinking=draft.thinking)
    question = Inquiry(begun.user_message_id, draft.text, sending.by, sending.tools)
    written = _written(actor, draft, placed, asked, begun, model, now)
    return begun, looked_up.dispatch(connection, request, keys, question, at, before=written)


def _written(
    actor: User, draft: Draft, placed: Placed, asked: Said, begun: Begun, model: ServedModel, now: datetime
) -> list[Act]:
    """What writes the question down, with an empty answer and its run."""
    written = []
    if placed.is_new:
        own = {"id": begun.conversation_id, "user_id": actor.id, "title": placed.title}
        own |= {name: getattr(placed.assistant, name) for name in ("assistant_id", "shared_assistant_id")}
        written.append(Act(_INSERT_CONVERSATION, [own | {"created_at": now, "updated_at": now}]))
    shared = {"conversation_id": begun.conversation_id, "reasoning": "", "model": model.name, "created_at": now}
    question = {"id": begun.user_message_id, "parent_id": placed.parent_id, "role": "user", "status": "complete"}
    answer = {"id": begun.message_id, "parent_id": begun.user_message_id, "role": "assistant", "status": "running"}
    after = {"created_at": now + timedelta(microseconds=1)}  # so that they always sort as asked and answered
    both = [shared | question | {"text": draft.text}, shared | answer | after | {"text": ""}]
    written += [Act(_INSERT_MESSAGES, both), *message_files.attaching(begun.user_message_id, asked.attached)]
    key = draft.idempotency_key
    written.append(opening.writing(Opening(actor, begun, key, draft.digest if key else "")))
    if key:
        written.append(Act(_DELETE_DRAFT, [{"place": draft.conversation_id or actor.id, "key": key}]))
    return written


def check_cap(connection: Connection, actor: User) -> None:
    """Raise TooMany where the person has as many answers in the making as allowed.

    The person's row is locked first, so that sends at the same moment are counted one after the other."""
    budget_service.take_turn(connection, actor.id)
    run_cap.check(connection, actor.id)


def _place(connection: Connection, actor: User, draft: Draft, asked: Said) -> Placed:
    if draft.conversation_id is None:
        if draft.parent_id is not None:
            raise Invalid("invalid_field", detail="parent_id without conversation_id")
        return placing.begin(connection, actor, asked, draft.assistant_id)
    if draft.assistant_id is not None:
        raise Invalid("invalid_field", detail="assistant_id with conversation_id")
    return placing.follow(connection, actor, draft.conversation_id, draft.parent_id, at_root=draft.at_root)


def _earlier(actor: User, draft: Draft, locale: str) -> Begun | None:
    key = draft.idempotency_key
    return earlier_run(actor, key, draft.digest, locale) if key else None


def earlier_run(actor: User, idempotency_key: str | None, digest: str, locale: str) -> Begun | None:
    """What the person's key began before; raises Conflict where that was asked for by something else."""
    if not idempotency_key:
        return None
    with reading() as session:
        found = session.execute(
            select(Run, Conversation.title)
            .outerjoin(Conversation, Conversation.id == Run.conversation_id)
            .where(Run.user_id == actor.id, Run.idempotency_key == idempotency_key)
        ).first()
    if found is None:
        return None
    run, title = found
    if run.draft_digest not in (None, digest):  # runs of before the column have none
        raise Conflict("idempotency_key_reused")
    return Begun.of(run, title, locale)


def request_of(
    begun: Begun, actor: User, model: ServedModel, turns: Sequence[Turn], origin: Origin, *, thinking: Thinking
) -> Request:
    """What is asked of a provider for the run's answer; it thinks first where the model can."""
    return Request(
        user_id=actor.id,
        model=model,
        turns=turns,
        thinking=model.thinks(thinking),
        channel=CHANNEL,
        request_id=origin.request_id,
        address=origin.address,
        run_id=begun.run_id,
        message_id=begun.message_id,
    )
