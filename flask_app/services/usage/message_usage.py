"""What messages cost: the ledger's entries for each, added up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from flask_app.database import reading, table_of
from flask_app.domain.events import Usage
from flask_app.domain.web_sources import CHANNEL as SEARCH
from flask_app.errors import NotFound
from flask_app.models import Attempt, Conversation, Message, Run, TokenUsage, User
from flask_app.services.completion.attempts import Entry

_ledger, _messages = table_of(TokenUsage), table_of(Message)
_SUMS = (
    select(
        _ledger.c.message_id,
        *(func.sum(_ledger.c[f"{kind}_tokens"]) for kind in ("prompt", "cached", "completion", "reasoning")),
        # An answer that was gone on with has sent the conversation along each time.
        func.max(_ledger.c.prompt_tokens + _ledger.c.completion_tokens - _ledger.c.reasoning_tokens),
        func.min(_ledger.c.source),  # "estimated" before "reported": one estimate makes the sum one
    )
    .join(_messages, _messages.c.id == _ledger.c.message_id)
    # A refund gives tokens back; the answer took them all the same. A search is its question's, and takes none.
    .where(_ledger.c.kind == "usage", _ledger.c.channel != SEARCH)
    .group_by(_ledger.c.message_id)
)
_OF_CONVERSATION = _SUMS.where(_messages.c.conversation_id == bindparam("conversation"))
_OF_MESSAGE = _SUMS.where(_messages.c.id == bindparam("message"))


@dataclass(frozen=True, slots=True)
class Details:
    """An answer's model and the entries of the runs that made it, the oldest first.

    `effort` is what the last of those that were told one had to think with. `searches` are those of its question that
    the same runs have made.
    """

    model: str | None
    entries: list[TokenUsage]
    effort: str | None
    searches: list[TokenUsage]

    @classmethod
    def of(cls, model: str | None, found: Sequence[Row[TokenUsage, str | None]]) -> "Details":
        efforts = [effort for _, effort in found if effort]
        searches = [entry for entry, _ in found if entry.channel == SEARCH]
        return cls(
            model, [entry for entry, _ in found if entry.channel != SEARCH], efforts[-1] if efforts else None, searches
        )


def details(actor: User, message_id: str) -> Details:
    """Raises NotFound for a message of somebody else's."""
    owned = (
        select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id == message_id, Conversation.user_id == actor.id)
    )
    with reading() as session:
        message = session.scalar(owned)
        if message is None:
            raise NotFound
        return Details.of(message.model, session.execute(_entries(message)).all())


def _entries(answer: Message) -> Select[TokenUsage, str | None]:
    """A search is its question's in the ledger, which other answers may follow: those of this one's runs."""
    own = select(Run.id).where(Run.message_id == answer.id)
    is_search = and_(TokenUsage.channel == SEARCH, Attempt.run_id.in_(own))
    return (
        select(TokenUsage, Attempt.effort)
        .outerjoin(Attempt, Attempt.id == TokenUsage.attempt_id)
        .where(TokenUsage.message_id.in_((answer.id, answer.parent_id)), TokenUsage.kind == "usage")
        .where(or_(TokenUsage.message_id == answer.id, is_search))
        .order_by(TokenUsage.created_at, TokenUsage.id)
    )


def of_conversation(connection: Connection, conversation_id: str) -> dict[str, Entry]:
    """By message id."""
    rows = connection.execute(_OF_CONVERSATION, {"conversation": conversation_id})
    return {row.message_id: _entry(row) for row in rows}


def of_message(connection: Connection, message_id: str) -> Entry | None:
    row = connection.execute(_OF_MESSAGE, {"message": message_id}).one_or_none()
    return None if row is None else _entry(row)


def _entry(row: Sequence[Any]) -> Entry:
    _, *sums, longest, source = row
    return Entry(Usage(*(int(tokens) for tokens in sums)), source, longest=int(longest))
