"""The provider refuses just when the database fails: its word is told, and the attempt ends once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, text

from flask_app import database
from flask_app.database import reading, transaction
from flask_app.models import Attempt, Message, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.providers import key_admin_service
from flask_app.services.providers.key_admin_service import NewKey
from flask_app.services.runs import run_service
from tests.support.events import ServerEvent, events_of
from tests.support.scripted_upstream import ScriptedUpstream, Status
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"


@dataclass(frozen=True, slots=True)
class RefusalWithoutDatabase:
    """The database goes away before the provider's refusal arrives."""

    status: int

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Status(self.status).play(reply, request)


@pytest.fixture
def second_key(upstream: ScriptedUpstream) -> str:
    new = NewKey(label="second", secret="second-key", base_url=upstream.base_url)
    return key_admin_service.add(Actor(user=None), new).key.id


def following(actor: User, url: str) -> Iterator[ServerEvent]:
    """The events of a question; once the answer cannot be saved the database is back."""
    begun = chat_service.send(actor, Draft(text="hello"), ORIGIN)
    for frame in run_service.read(actor, begun.run_id, after=0, locale="en"):
        for event in events_of(frame):
            if event.data.get("code") == "not_saved_yet":
                database.connect(url)
            yield event


def attempts() -> list[Attempt]:
    with reading() as session:
        return list(session.scalars(select(Attempt).order_by(Attempt.id)))


def assert_told(events: list[ServerEvent], code: str) -> None:
    assert (events[-1].name, events[-1].data["code"]) == ("error", code)
    with reading() as session:
        message = session.scalars(select(Message).where(Message.role == "assistant")).one()
        assert (message.status, message.error_code) == ("failed", code)
        assert session.scalars(select(TokenUsage)).all() == []


@pytest.mark.parametrize(
    ("status", "code"), [(400, "upstream_rejected"), (401, "upstream_key_refused"), (503, "upstream_overloaded")]
)
def test_a_refusal_is_told_and_released_though_the_database_was_away(
    member: User,
    upstream: ScriptedUpstream,
    second_key: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: str,
) -> None:
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0,))
    upstream.script(RefusalWithoutDatabase(status))
    events = list(following(member, database_url))
    assert "not_saved_yet" in [event.data.get("code") for event in events], "the database must have been away"
    assert_told(events, code)
    (attempt,) = attempts()
    assert (attempt.state, attempt.status_code, attempt.error_code) == ("released", status, code)
    assert len(upstream.journal.chats) == 1


@contextmanager
def no_more_attempts() -> Iterator[None]:
    """The database refuses every further row of `proxy_logs`, as one that is full does."""
    with transaction() as session:
        on_sqlite = session.connection().dialect.name == "sqlite"
        refuse = "SELECT RAISE(ABORT, 'full');" if on_sqlite else "SIGNAL SQLSTATE '45000';"
        session.execute(text(f"CREATE TRIGGER full BEFORE INSERT ON proxy_logs FOR EACH ROW BEGIN {refuse} END"))
    yield
    with transaction() as session:
        session.execute(text("DROP TRIGGER full"))


def test_a_refusal_is_told_when_the_next_attempt_cannot_be_written(
    member: User, upstream: ScriptedUpstream, second_key: str, database_url: str
) -> None:
    closing = no_more_attempts()

    class RefusalThenFull:
        def play(self, reply: Reply, request: Received) -> None:
            closing.__enter__()
            Status(401).play(reply, request)

    upstream.script(RefusalThenFull())
    try:
        events: list[Any] = list(following(member, database_url))
    finally:
        closing.__exit__(None, None, None)
    assert_told(events, "upstream_key_refused")
    assert [attempt.state for attempt in attempts()] == ["released"]
    assert len(upstream.journal.chats) == 1
