"""Conversations that are in the index, or are about to be, and what is found of them."""

from datetime import timedelta

from sqlalchemy import func, select, update

from flask_app.database import first_id, new_id, reading, transaction, utc_now
from flask_app.models import Conversation, Message, Run, SearchDocument, SearchPosting, User
from flask_app.services.search import search_service


def say(
    user: User, *texts: str, title: str = "A title", conversation: str | None = None, status: str = "complete"
) -> list[str]:
    """Write messages down, past the chat; gives their ids."""
    ids = sorted(new_id() for _ in texts)
    with transaction() as session:
        if conversation is None:
            conversation = new_id()
            session.add(Conversation(id=conversation, user_id=user.id, title=title))
            session.flush()
        for number, (id_, text) in enumerate(zip(ids, texts, strict=True)):
            role = "assistant" if number % 2 else "user"
            session.add(Message(id=id_, conversation_id=conversation, role=role, text=text, status=status))
    return ids


def say_long_ago(user: User, *texts: str) -> list[str]:
    """The same, some days ago, a minute after each other."""
    began = utc_now() - timedelta(days=3)
    ids = [first_id(began + timedelta(minutes=number)) for number in range(len(texts))]
    conversation = new_id()
    with transaction() as session:
        session.add(Conversation(id=conversation, user_id=user.id, title="Long ago"))
        session.flush()
        for id_, text in zip(ids, texts, strict=True):
            session.add(Message(id=id_, conversation_id=conversation, role="user", text=text))
    return ids


def found(user: User, text: str) -> list[str | None]:
    """The messages that are found, None for a title."""
    hits: list[str | None] = []
    before = None
    while True:
        page, before = search_service.search(user, text, before=before)
        hits += [hit.message_id for hit in page]
        if not before:
            return hits


def conversation_of(message: str) -> str:
    with reading() as session:
        return session.execute(select(Message.conversation_id).where(Message.id == message)).scalar_one()


def count(model: type[SearchDocument | SearchPosting]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def change(message: str, **values: str) -> None:
    with transaction() as session:
        session.execute(update(Message).where(Message.id == message).values(values))


def run_on(message: str, user: User, status: str = "complete") -> str:
    """A run that wrote the message last."""
    id_ = new_id()
    with transaction() as session:
        places = {"conversation_id": conversation_of(message), "message_id": message}
        lease = utc_now() + timedelta(minutes=1)
        session.add(Run(id=id_, user_id=user.id, status=status, worker="w", lease_expires_at=lease, **places))
    return id_
