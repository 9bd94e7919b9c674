"""The end of an answer that somebody else has ended meanwhile: booked once, and kept as they wrote it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from flask_app.database import in_transaction, in_writing, reading
from flask_app.models import Attempt, Setting, TokenUsage, User
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import dispatching, failover
from flask_app.services.completion.completion_service import Completion
from flask_app.services.completion.settling import settle
from flask_app.services.providers import model_service
from flask_app.services.runs import reaper_service
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.statements import Act, execute
from tests.support.ledger import unsound
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

USED = Usage(prompt=1000, cached=400, completion=50)


def answered(member: User, upstream: ScriptedUpstream) -> Completion:
    upstream.script(Answer("hello there", usage=USED))
    model = model_service.find(None)
    request = Request(
        user_id=member.id,
        model=model,
        turns=[Turn("user", "hello")],
        thinking=False,
        channel="chat",
        request_id="r",
        address="127.0.0.1",
    )
    candidates = failover.candidates_for(model)
    ticket = in_writing(lambda connection: dispatching.dispatch(connection, request, candidates))
    completion = Completion(ticket, StopSignal())
    completion.ask(lambda events: None)
    return completion


class Keeping:
    """Writes something of its own, each time that it is called, and hears whether there is hope."""

    def __init__(self) -> None:
        self.hoped: list[bool] = []

    def __call__(self, connection: Connection, outcome: object, *, hopes: bool) -> list[Act]:
        self.hoped.append(hopes)
        execute(connection, f"INSERT INTO settings (name, value) VALUES ('kept', '{len(self.hoped)}')")
        return []


def kept() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Setting.value).where(Setting.name == "kept")))


def entries() -> list[Any]:
    with reading() as session:
        return list(session.execute(select(TokenUsage.source, TokenUsage.completion_tokens)))


def test_it_is_written_once_with_what_is_kept_of_it(
    member: User, upstream: ScriptedUpstream, database_url: str
) -> None:
    completion, keep = answered(member, upstream), Keeping()
    entry = settle(completion, keep)
    assert entry is not None
    assert (entry.is_new, entry.usage.completion_tokens) == (True, 50)
    assert (entries(), kept()) == ([("reported", 50)], ["1"])
    assert keep.hoped == [not database_url.startswith("sqlite")]
    assert unsound() == []


def test_where_a_reaper_has_booked_it_that_stands_and_what_is_kept_is_written_once(
    member: User, upstream: ScriptedUpstream, database_url: str
) -> None:
    completion, keep = answered(member, upstream), Keeping()
    in_transaction(lambda session: reaper_service.book_lost(session, completion.sent.attempt_id))
    [booked] = entries()
    entry = settle(completion, keep)
    assert entry is not None
    assert (entry.source, entry.usage.completion_tokens, entry.is_new) == (*booked, False)
    assert entries() == [booked]
    assert keep.hoped == ([False] if database_url.startswith("sqlite") else [True, False])
    assert kept() == [str(len(keep.hoped))], "the first try is undone whole"
    assert unsound() == []


def test_settled_twice_it_is_booked_once(member: User, upstream: ScriptedUpstream) -> None:
    completion = answered(member, upstream)
    first, second = (settle(completion, lambda *_, **__: ()) for _ in range(2))
    assert first is not None
    assert second == first
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["settled"]
    assert entries() == [("reported", 50)]
    assert unsound() == []
