"""Pinning conversations on top of their person's list."""

from sqlalchemy import false, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, utc_now
from flask_app.errors import Conflict
from flask_app.models import Conversation, User
from flask_app.services.budgets import budget_service
from flask_app.services.conversations import conversation_service

MOST_PINNED = 50


def pin(actor: User, conversation_id: str) -> Conversation:
    """Put it first among those that are pinned; one that is pinned already stays where it is.

    One that is archived comes back for it. Raises NotFound for somebody else's, Conflict("too_many_pins").
    """

    def write(session: Session) -> Conversation:
        budget_service.take_turn(session.connection(), actor.id)  # pins of the same moment are counted one by one
        conversation = conversation_service.owned(session, actor, conversation_id)
        if conversation.pinned_at and not conversation.archived:
            return conversation
        if not has_room(session.connection(), actor.id):
            raise Conflict("too_many_pins", limit=MOST_PINNED)
        return conversation_service.changed(session, actor, conversation_id, pinned_at=utc_now(), archived=False)

    return in_transaction(write)


def unpin(actor: User, conversation_id: str) -> Conversation:
    """Raises NotFound for somebody else's."""
    return in_transaction(lambda session: conversation_service.changed(session, actor, conversation_id, pinned_at=None))


def has_room(connection: Connection, user_id: str) -> bool:
    """Can one more be pinned? The person's row must be locked."""
    on_top = (Conversation.user_id == user_id, Conversation.archived == false(), Conversation.pinned_at.is_not(None))
    return (connection.scalar(select(func.count()).where(*on_top)) or 0) < MOST_PINNED
