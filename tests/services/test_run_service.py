"""Runs that this process makes: a fault of ours is booked too, and none is waited for longer than was said."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Connection

from flask_app.database import in_writing, new_id, reading
from flask_app.domain.events import Event, Token, estimate_tokens
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import dispatching, failover
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway.program_answers import ProgramRun
from flask_app.services.ledger import journal
from flask_app.services.providers import model_service
from flask_app.services.runs import run_service
from flask_app.services.runs.run_service import LiveRun
from tests.support.brokers import PATIENCE, wait_until
from tests.support.scripted_upstream import ScriptedUpstream, Stall
from tests.support.upstream_paused import Paused

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")


class Faulty:
    """An answer with a fault of its own, which shows at its first word."""

    is_awaited = True
    unread_since = None

    def __init__(self) -> None:
        self.begun = ProgramRun(run_id=new_id(), model="m", locale="en")
        self.outcome = Outcome()
        self.entry: Entry | None = None

    def tell_all(self, events: list[Event]) -> None:
        assert not any(isinstance(each, Token) for each in events), "a fault of ours"

    def keep(self, connection: Connection, outcome: Outcome, *, hopes: bool) -> tuple[()]:
        return ()

    def sum_up(self, connection: Connection) -> None: ...

    def wait(self, outcome: Outcome, counted: Entry, *, is_on_disk: bool) -> None: ...

    def end(self, outcome: Outcome, entry: Entry | None, *, discarded: bool) -> None:
        self.outcome, self.entry = outcome, entry


def start(answer: Faulty, member: User) -> LiveRun:
    request = Request(
        user_id=member.id,
        model=model_service.find(None),
        turns=[Turn("user", "hello")],
        thinking=False,
        channel="api",
        request_id="r",
        address="127.0.0.1",
    )
    candidates = failover.candidates_for(request.model)
    ticket = in_writing(lambda connection: dispatching.dispatch(connection, request, candidates))
    return run_service.start(answer, ticket)


def test_a_fault_of_ours_ends_an_answer_and_what_had_come_is_booked(member: User, upstream: ScriptedUpstream) -> None:
    upstream.script(Stall("It began"))
    answer = Faulty()
    live = start(answer, member)
    live.thread.join(PATIENCE)
    assert (answer.outcome.status, answer.outcome.error_code) == ("interrupted", "internal")
    assert answer.entry is not None
    with reading() as session:
        entry = session.scalars(select(TokenUsage)).one()
        assert session.scalars(select(Attempt.state)).all() == ["settled"]
    written = estimate_tokens(answer.outcome.text)
    assert written > 0
    assert (entry.source, entry.outcome, entry.completion_tokens) == ("estimated", "interrupted", written)
    assert answer.entry.usage.completion_tokens == written
    assert run_service.live_runs() == []


@pytest.fixture
def stalled(member: User, upstream: ScriptedUpstream) -> Iterator[LiveRun]:
    upstream.script(Stall("so far"))
    chat_service.send(member, Draft(text="go", idempotency_key="the same"), ORIGIN)
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text == "so far")
    yield live
    run_service.shutdown()


def test_an_answer_that_is_not_being_settled_does_not_go_to_disk(stalled: LiveRun) -> None:
    stalled.wait_if_slow()
    assert journal.waiting() == set()
    assert stalled.attempts() == {stalled.completion.sent.attempt_id}


def test_answers_are_waited_for_no_longer_than_was_said(stalled: LiveRun) -> None:
    began = time.monotonic()
    run_service.wait(0.2)
    assert 0.2 <= time.monotonic() - began < 30
    assert run_service.made_here() == {stalled.begun.run_id}


def test_answers_that_end_by_themselves_are_waited_for(member: User, upstream: ScriptedUpstream) -> None:
    answer = Paused("one", "")
    upstream.script(answer)
    chat_service.send(member, Draft(text="go"), ORIGIN)
    assert run_service.live_runs()
    threading.Timer(0.3, answer.go_on).start()
    run_service.wait(PATIENCE)
    assert run_service.live_runs() == []
    with reading() as session:
        assert session.scalars(select(TokenUsage.outcome)).all() == ["complete"]


def test_a_key_that_a_run_was_begun_under_is_known_of_its_person_alone(stalled: LiveRun, member: User) -> None:
    assert run_service.is_begun(member.id, "the same")
    assert not run_service.is_begun(member.id, "another")
    assert not run_service.is_begun("somebody else", "the same")
    assert not run_service.is_begun(member.id, None)
