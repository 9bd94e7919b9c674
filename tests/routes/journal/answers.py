"""Answers whose settlement waits on disk, and what became of them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from flask_app import database
from flask_app.database import reading
from flask_app.models import Attempt, Message, TokenUsage, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.runs import run_service
from tests.support.events import ServerEvent, events_of
from tests.support.scripted_upstream import Answer, Usage
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"
WHOLE = "the whole of the answer"
USED = Usage(prompt=1000, cached=600, completion=500, reasoning=0)


class AnswerWithoutDatabase:
    """The database goes away while the provider answers."""

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Answer(WHOLE, usage=USED).play(reply, request)


def following(actor: User) -> Iterator[ServerEvent]:
    begun = chat_service.send(actor, Draft(text="hello"), ORIGIN)
    for frame in run_service.read(actor, begun.run_id, after=0, locale="en"):
        yield from events_of(frame)


def code(event: ServerEvent) -> Any:
    return event.data.get("code")


def message() -> Message:
    with reading() as session:
        return session.scalars(select(Message).where(Message.role == "assistant")).one()


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.id)))


def assert_exact() -> None:
    (entry,) = entries()
    assert (entry.source, entry.prompt_tokens, entry.cached_tokens) == ("reported", 1000, 600)
    assert entry.completion_tokens == 500
    assert states() == ["settled"]


def states() -> list[str]:
    """Of the attempts, in the order of the alphabet."""
    with reading() as session:
        return sorted(session.scalars(select(Attempt.state)))
