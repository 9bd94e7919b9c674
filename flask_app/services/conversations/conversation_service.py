"""A person's conversations: listed, read, renamed, deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Exists, Row, delete, exists, select, update
from sqlalchemy.orm import Session, defer

from flask_app.database import in_transaction, reading, utc_now
from flask_app.domain.events import estimate_tokens
from flask_app.domain.tools import Call
from flask_app.domain.web_sources import Search
from flask_app.errors import Conflict, NotFound
from flask_app.models import (
    Assistant,
    Conversation,
    Message,
    MessageFile,
    Run,
    Share,
    SharedAssistant,
    ToolCall,
    User,
    WebSearch,
)
from flask_app.services.chat.instructions import OF_CONVERSATION, SHARED_OF_CONVERSATION
from flask_app.services.completion.attempts import Entry
from flask_app.services.files import message_files
from flask_app.services.files.message_files import Going
from flask_app.services.ledger import replay_service
from flask_app.services.runs import reaper_service, stop_service
from flask_app.services.search import search_index, search_postings
from flask_app.services.tools import tool_calls
from flask_app.services.usage import message_usage
from flask_app.services.web_search import searches
from flask_app.streams import broker

MAX_TITLE = 200
_has_files = exists().where(Message.conversation_id == Conversation.id, MessageFile.message_id == Message.id)
_has_searches = exists().where(Message.conversation_id == Conversation.id, WebSearch.message_id == Message.id)
_is_running = exists().where(Run.conversation_id == Conversation.id, Run.status == "running")
_has_calls = exists().where(Message.conversation_id == Conversation.id, ToolCall.message_id == Message.id)


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation with all its messages in order; the rest is by message id.

    `runs` are the newest, `keys` what each answer was first asked for under; `files` and `searches` go with questions,
    `calls` of tools with answers.
    `shared`: it has a link. `assistant` is there without its instructions.
    """

    conversation: Conversation
    messages: list[Message]
    runs: dict[str, str]
    keys: dict[str, str]
    usage: dict[str, Entry]
    files: dict[str, list[Going]]
    searches: dict[str, Search]
    calls: dict[str, list[Call]]
    shared: bool
    assistant: Assistant | SharedAssistant | None


def thread(actor: User, conversation_id: str) -> Thread:
    """The whole conversation; raises NotFound for somebody else's."""
    own = (Conversation.id == conversation_id, Conversation.user_id == actor.id)
    with reading() as session:
        has = (_is_shared(utc_now()), _has_files, _has_searches, _has_calls)
        asked = (
            select(Conversation, *has, Assistant, SharedAssistant)
            .outerjoin(Assistant, OF_CONVERSATION)
            .outerjoin(SharedAssistant, SHARED_OF_CONVERSATION)
        )
        untold = (defer(Assistant.instructions), defer(SharedAssistant.instructions))
        found = session.execute(asked.where(*own).options(*untold)).one_or_none()
        if found is None:
            raise NotFound
        messages = session.scalars(
            select(Message).where(Message.conversation_id == conversation_id).order_by(Message.created_at, Message.id)
        ).all()
        # Ids go by the clocks of their instances, so they alone do not say which run is being made.
        newest_last = (
            select(Run.message_id, Run.id, Run.idempotency_key, Run.text_before)
            .where(Run.conversation_id == conversation_id)
            .order_by(Run.status == "running", Run.id)
        )
        made = session.execute(newest_last).all()
        usage = message_usage.of_conversation(session.connection(), conversation_id)
        conversation, shared, has_files, has_searches, has_calls, own_assistant, shared_assistant = found
        files = message_files.of_conversation(session.connection(), conversation_id) if has_files else {}
        found_on_web = searches.of_conversation(session.connection(), conversation_id) if has_searches else {}
        calls = tool_calls.of_conversation(session.connection(), conversation_id) if has_calls else {}
    runs = {run.message_id: run.id for run in made if run.message_id}
    keys = _first_keys(made)
    return Thread(
        *(conversation, list(messages), runs, keys, usage, files, found_on_web, calls, bool(shared)),
        _either(own_assistant, shared_assistant),
    )


def _first_keys(made: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, str]:
    """Of each message's first run: others went on with what was there. One that called tools has a text before, too."""
    first: dict[str, str | None] = {}
    for run in sorted(made, key=lambda run: (run.text_before is not None, run.id)):
        first.setdefault(run.message_id, run.idempotency_key)
    return {message_id: key for message_id, key in first.items() if message_id and key}


def _either(own: Assistant | None, shared: SharedAssistant | None) -> Assistant | SharedAssistant | None:
    return shared if own is None else own


def _is_shared(now: datetime) -> Exists:
    """By a link whose time is not over."""
    return exists().where(Share.conversation_id == Conversation.id, Share.is_open(now))


def rename(actor: User, conversation_id: str, title: str) -> Conversation:
    """Give it a title; an empty one or one that is too long is refused by the route's field."""

    def write(session: Session) -> Conversation:
        search_postings.take_turn(session.connection())
        words = " ".join(title.split())[:MAX_TITLE]
        renamed = changed(session, actor, conversation_id, title=words, titled_by=actor.id)
        search_index.retitle(session.connection(), renamed)
        return renamed

    return in_transaction(write)


def entitle(conversation_id: str, title: str, *, run_id: str, instead_of: str) -> None:
    """Give it the title that a run has made, unless it is gone, or somebody has renamed it since that began."""
    # A version from before `titled_by`, which serves beside this one for a while, writes the title alone.
    asked = (
        Conversation.id == conversation_id,
        Conversation.titled_by == run_id,
        Conversation.title == instead_of,
    )

    def write(session: Session) -> None:
        connection = session.connection()
        search_postings.take_turn(connection)
        if connection.execute(update(Conversation).where(*asked).values(title=title)).rowcount == 1:
            search_index.retitle(connection, session.get_one(Conversation, conversation_id))

    in_transaction(write)


def remove(actor: User, conversation_id: str, *, decided_ago: timedelta = timedelta()) -> None:
    """Delete it with its messages, stopping what is being written; the ledger's entries stay.

    Where somebody decided so a while ago, what was asked in it since has undone that: Conflict("asked_meanwhile").
    """
    since = utc_now() - decided_ago if decided_ago else None
    with reading() as session:
        owned(session, actor, conversation_id)
        _require_unasked(session, conversation_id, since)
    stop_service.discard(conversation_id)
    replay_service.replay()  # what waits for the database would otherwise come when the words are gone

    def work(session: Session) -> Sequence[str]:
        owned(session, actor, conversation_id)
        _require_unasked(session, conversation_id, since)
        return _delete(session, conversation_id)

    broker().forget(in_transaction(work))


def erase(conversation_id: str) -> None:
    """Delete one whose person has gone, where it is still there; nothing may be written in it any more."""
    broker().forget(in_transaction(lambda session: _delete(session, conversation_id)))


def _require_unasked(session: Session, conversation_id: str, since: datetime | None) -> None:
    if since is None:
        return
    asked = exists().where(Run.conversation_id == conversation_id, Run.created_at > since)
    if session.scalar(select(asked)):
        raise Conflict("asked_meanwhile")


def expire(conversation_id: str, before: datetime) -> bool:
    """Delete it where nobody has written in it since `before`, and nothing is being written. Was it there to delete?"""
    due = (Conversation.id == conversation_id, Conversation.updated_at < before, ~_is_running)

    def work(session: Session) -> Sequence[str] | None:
        if session.scalar(select(Conversation.id).where(*due).with_for_update()) is None:
            return None
        return _delete(session, conversation_id)

    runs = in_transaction(work)
    if runs is None:
        return False
    broker().forget(runs)
    return True


def _delete(session: Session, conversation_id: str) -> Sequence[str]:
    """Gives the runs that went with it."""
    reaper_service.book_unfinished(session, conversation_id)
    runs = session.scalars(select(Run.id).where(Run.conversation_id == conversation_id)).all()
    _detach(session, conversation_id)
    session.execute(delete(Run).where(Run.conversation_id == conversation_id))
    # Databases follow a chain of cascades a few steps only: InnoDB 15, SQLite 1000.
    session.execute(update(Message).where(Message.conversation_id == conversation_id).values(parent_id=None))
    session.execute(delete(Conversation).where(Conversation.id == conversation_id))
    return runs


def _detach(session: Session, conversation_id: str) -> None:
    """Let what is still being written there end without it: its worker may live, and books what the provider counted.

    The run of a worker that has died is ended when its lease is over, by about what was kept of its words.
    """
    being_written = select(Run).where(Run.conversation_id == conversation_id, Run.status == "running")
    # One that ends now is ended. Of the runs alone: MariaDB would lock the rows of messages too, in any order.
    for run in session.scalars(being_written.with_for_update()).all():
        message = session.get_one(Message, run.message_id)
        own = (message.text[run.text_before or 0 :], message.reasoning[run.reasoning_before or 0 :])
        run.kept_tokens = sum(map(estimate_tokens, own))
        run.stop_requested, run.discarded = run.stop_requested or utc_now(), True
        run.conversation_id = run.user_message_id = run.message_id = run.idempotency_key = None
    session.flush()


def changed(session: Session, actor: User, conversation_id: str, **values: object) -> Conversation:
    """Write these, and give what it is then; raises NotFound for somebody else's."""
    own = (Conversation.id == conversation_id, Conversation.user_id == actor.id)
    session.execute(update(Conversation).where(*own).values(values))
    return owned(session, actor, conversation_id)


def owned(session: Session, actor: User, conversation_id: str) -> Conversation:
    """Raises NotFound for somebody else's."""
    conversation = session.scalar(
        select(Conversation).where(Conversation.id == conversation_id, Conversation.user_id == actor.id)
    )
    if conversation is None:
        raise NotFound
    return conversation
