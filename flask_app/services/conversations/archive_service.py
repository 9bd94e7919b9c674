"""Archiving conversations: they leave their person's list, and are there all the same."""

from sqlalchemy import select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import in_transaction
from flask_app.models import Conversation, User
from flask_app.services.budgets import budget_service
from flask_app.services.conversations import conversation_service, pin_service


def archive(actor: User, conversation_id: str) -> Conversation:
    """Take it out of the list, until it is taken back or somebody writes in it. Raises NotFound for somebody else's."""
    return in_transaction(lambda session: conversation_service.changed(session, actor, conversation_id, archived=True))


def take_back(actor: User, conversation_id: str) -> Conversation:
    """Put it where it was in the list, pinned if it was and there is room. Raises NotFound for somebody else's."""

    def write(session: Session) -> Conversation:
        connection = session.connection()
        budget_service.take_turn(connection, actor.id)
        bring_back(connection, actor.id, conversation_id)
        return conversation_service.owned(session, actor, conversation_id)

    return in_transaction(write)


def bring_back(connection: Connection, user_id: str, conversation_id: str) -> None:
    """The same in the caller's transaction, where it is archived. The person's row must be locked."""
    which = (Conversation.id == conversation_id, Conversation.user_id == user_id, Conversation.archived.is_(True))
    found = connection.execute(select(Conversation.pinned_at).where(*which)).one_or_none()
    if found is None:
        return
    stays_pinned = found.pinned_at is not None and pin_service.has_room(connection, user_id)
    pinned_at = found.pinned_at if stays_pinned else None
    connection.execute(update(Conversation).where(*which).values(archived=False, pinned_at=pinned_at))
