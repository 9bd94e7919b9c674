"""Conversations with branches, for what takes them along."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_app.database import new_id, transaction
from flask_app.models import Conversation, Folder, Message, User
from tests.support import ledger

HOSTILE = "![pixel](https://192.0.2.1/p.png) [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
BEGAN = datetime(2026, 11, 25, 4, 5, 6, 789, tzinfo=UTC)


def write(person: User, said: Sequence[tuple[str, str | None, str, str]], **fields: Any) -> Conversation:
    """A conversation of messages: each a name, the name of the one before it, its role and its text."""
    made = Conversation(user_id=person.id, **({"title": "一段谈话", "created_at": BEGAN, "updated_at": BEGAN} | fields))
    ids = {name: new_id() for name, *_ in said}
    with transaction() as session:
        session.add(made)
        session.flush()
        for number, (name, parent, role, text) in enumerate(said):
            session.add(
                Message(
                    id=ids[name],
                    conversation_id=made.id,
                    parent_id=ids[parent] if parent else None,
                    role=role,
                    text=text,
                    model="deepseek-flash" if role == "assistant" else None,
                    finish_reason="stop" if role == "assistant" else None,
                    created_at=BEGAN + timedelta(seconds=number),
                )
            )
            session.flush()
    return made


def branched(person: User, **fields: Any) -> Conversation:
    """A question with two answers, of which the second was gone on with."""
    said = [
        ("question", None, "user", "你好 <script>alert(1)</script>"),
        ("first", "question", "assistant", "The first answer"),
        ("second", "question", "assistant", "**第二个**回答\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
        ("more", "second", "user", "And then?"),
        (
            "last",
            "more",
            "assistant",
            HOSTILE,
        ),
    ]
    return write(person, said, **fields)


def folder(person: User, name: str) -> Folder:
    made = Folder(user_id=person.id, name=name)
    with transaction() as session:
        session.add(made)
    return made


def counted(person: User, message_id: str) -> None:
    """The ledger has an entry for the answer."""
    ledger.write([ledger.entry(person.id, BEGAN, message_id=message_id)])
