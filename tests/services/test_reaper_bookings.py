"""What is booked of what dead workers left: what had come, of their own attempts alone, and once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.domain.events import estimate_tokens
from flask_app.domain.serving import LOCAL, SEARXNG
from flask_app.models import Attempt, Conversation, Provider, Run, TokenUsage, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.completion.attempts import Bounds, Dispatched, Outcome
from flask_app.services.conversations import conversation_service
from flask_app.services.ledger import journal, metering_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs import lease_service, reaper_service, run_service, stop_service
from flask_app.services.runs.run_service import LEASE
from tests.support import calls, prices
from tests.support.brokers import wait_until
from tests.support.gateway import Program, made
from tests.support.keys import keep_provider
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import ScriptedUpstream, Stall

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")


def states() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Attempt.state)))


def entries() -> list[tuple[str, str, int]]:
    with reading() as session:
        return [(entry.source, entry.outcome, entry.completion_tokens) for entry in session.scalars(select(TokenUsage))]


def test_what_a_program_was_told_by_a_worker_that_died_is_booked_and_nothing_else_is_left(
    app: Flask, member: User, upstream: ScriptedUpstream
) -> None:
    program = Program(app, made(member).secret)
    upstream.script(Stall("so far"))
    response = program.complete(stream=True, buffered=False)
    wait_until(lambda: run_service.live_runs() and run_service.live_runs()[0].completion.outcome.text == "so far")
    (live,) = run_service.live_runs()
    lease_service.keep()
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() - LEASE, worker="killed"))
    assert reaper_service.reap_all(), "there was one"
    assert not reaper_service.reap_all()
    assert (states(), entries()) == (["settled"], [("estimated", "interrupted", estimate_tokens("so far"))])
    with reading() as session:
        assert session.scalars(select(Run.id)).all() == []
    response.close()
    live.thread.join(30)
    assert entries() == [("estimated", "interrupted", estimate_tokens("so far"))]


@pytest.mark.parametrize(("is_made_here", "is_dead"), [(True, True), (False, True), (False, False)])
def test_of_a_conversation_that_goes_only_what_dead_workers_began_is_booked(
    member: User, upstream: ScriptedUpstream, *, is_made_here: bool, is_dead: bool
) -> None:
    upstream.script(Stall("so far"))
    begun = chat_service.send(member, Draft(text="go"), ORIGIN)
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text == "so far")
    lease_service.keep()
    if not is_made_here:
        del run_service._live[begun.run_id]
    with transaction() as session:
        reaper_service.book_unfinished(session, "another")
        session.execute(update(Run).values(status="complete"))
        reaper_service.book_unfinished(session, begun.conversation_id)
        assert session.scalars(select(Attempt.state)).all() == ["dispatched"], "another's, or over"
        worker = run_service.WORKER if is_made_here else "another"
        lease = utc_now() + (-LEASE if is_dead else LEASE)
        session.execute(update(Run).values(status="running", worker=worker, lease_expires_at=lease))
        reaper_service.book_unfinished(session, begun.conversation_id)
    run_service._live[begun.run_id] = live
    is_left = is_made_here or not is_dead
    booked = [] if is_left else [("estimated", "interrupted", estimate_tokens("so far"))]
    assert (states(), entries()) == (["dispatched" if is_left else "settled"], booked)
    run_service.shutdown()
    assert len(entries()) == 1


@pytest.mark.parametrize("lives", [True, False])
def test_what_is_still_being_written_outlives_its_conversation_until_it_is_booked(
    member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, *, lives: bool
) -> None:
    """By its worker, or by about what was kept once its lease is over."""
    monkeypatch.setattr(stop_service, "SETTLED_SECONDS", 0.1)
    upstream.script(Stall("so far"))
    begun = chat_service.send(member, Draft(text="go"), ORIGIN)
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text == "so far")
    lease_service.keep()
    with transaction() as session:
        session.execute(update(Run).values(worker="another"))
        session.execute(update(Attempt).values(created_at=utc_now() - 2 * LEASE))
    del run_service._live[begun.run_id]
    conversation_service.remove(member, begun.conversation_id)
    assert not reaper_service.reap_all()
    assert (states(), entries()) == (["dispatched"], [])
    if not lives:
        with transaction() as session:
            session.execute(update(Run).values(lease_expires_at=utc_now() - LEASE))
        assert reaper_service.reap_all()
    run_service._live[begun.run_id] = live
    stop_service.look()
    live.thread.join(30)
    assert (states(), entries()) == (["settled"], [("estimated", "stopped", estimate_tokens("so far"))])
    with reading() as session:
        assert session.scalars(select(Run.id)).all() == []


@pytest.fixture
def sent(member: User) -> Callable[..., Dispatched]:
    """Attempts that nobody makes, each as its worker had begun it."""
    provider_id = keep_provider("Elsewhere", "http://127.0.0.1:1")

    def begin(**fields: Any) -> Dispatched:
        call = replace(calls.call_of(member.id, provider_id=provider_id), **fields)
        return calls.dispatch(call, Bounds(prompt=1000, answer=500))

    return begin


def test_an_attempt_is_booked_alone_and_once(sent: Callable[..., Dispatched]) -> None:
    first, other = sent(), sent()
    for is_there in (True, False):
        with transaction() as session:
            assert reaper_service.book_lost(session, first.attempt_id) is is_there
            assert not reaper_service.book_lost(session, "nothing")
    with reading() as session:
        found = {attempt.id: attempt.state for attempt in session.scalars(select(Attempt))}
        (entry,) = session.scalars(select(TokenUsage))
    assert found == {first.attempt_id: "settled", other.attempt_id: "dispatched"}
    assert (entry.attempt_id, entry.prompt_tokens, entry.completion_tokens) == (first.attempt_id, 3, 0)
    assert (entry.source, entry.outcome, entry.currency) == ("estimated", "interrupted", "CNY")


@pytest.mark.parametrize(
    ("rounds", "estimate", "booked"),
    [
        (0, 7, [("search", 0)]),  # the question is being looked up
        (1, 7, [("chat", 3), ("chat", 7), ("search", 0)]),  # a search of the first round waits in a journal elsewhere
        (1, 0, [("chat", 3), ("search", 0)]),  # the model searches now
    ],
)
def test_an_answer_that_was_asked_for_is_booked_whatever_becomes_of_a_search_before_it(
    sent: Callable[..., Dispatched], rounds: int, estimate: int, booked: list[tuple[str, int]]
) -> None:
    run_id = new_id()
    for _ in range(rounds):
        first = sent(run_id=run_id, channel="chat")
        with transaction() as session:
            metering_service.settle(session.connection(), first, Outcome())
    asked = sent(run_id=run_id, channel="chat", prompt_estimate=estimate)
    sent(run_id=run_id, channel="search", prompt_estimate=0)
    others = sent(run_id=new_id(), channel="chat")  # a round of another answer
    with transaction() as session:
        metering_service.settle(session.connection(), others, Outcome())
        assert reaper_service.book_lost(session, asked.attempt_id)
    with reading() as session:
        found = session.execute(
            select(TokenUsage.channel, TokenUsage.prompt_tokens)
            .join(Attempt, Attempt.id == TokenUsage.attempt_id)
            .where(Attempt.run_id == run_id)
        )
        assert sorted(map(tuple, found)) == booked
        assert not session.scalars(select(Attempt.id).where(Attempt.state == "dispatched")).all()


def test_what_the_journal_holds_is_left_to_it(sent: Callable[..., Dispatched]) -> None:
    kept, lost = sent(), sent()
    assert journal.keep(Settlement(sent=kept, outcome=Outcome(), conversation_id=None))
    with transaction() as session:
        session.execute(update(Attempt).values(created_at=utc_now() - 2 * LEASE))
    assert reaper_service.reap_all()
    with reading() as session:
        assert session.scalars(select(TokenUsage.attempt_id)).all() == [lost.attempt_id]


def test_an_attempt_is_given_as_long_as_a_lease(sent: Callable[..., Dispatched]) -> None:
    young, old = sent(), sent()
    for each, age in ((young, LEASE / 2), (old, 2 * LEASE)):
        with transaction() as session:
            change = update(Attempt).where(Attempt.id == each.attempt_id)
            session.execute(change.values(created_at=utc_now() - age))
    assert reaper_service.reap_all()
    with reading() as session:
        assert session.scalars(select(TokenUsage.attempt_id)).all() == [old.attempt_id]


@pytest.mark.parametrize("kind", [LOCAL, SEARXNG])
def test_what_nobody_bills_costs_nothing_whatever_its_namesake_does(sent: Callable[..., Dispatched], kind: str) -> None:
    prices.put("m", 1)
    with transaction() as session:
        session.execute(update(Provider).values(kind=kind))
    lost = sent(model="m", currency="")
    with transaction() as session:
        assert reaper_service.book_lost(session, lost.attempt_id)
    with reading() as session:
        (entry,) = session.scalars(select(TokenUsage))
    assert (entry.prompt_tokens, entry.cost_micros, entry.currency) == (3, None, None)


def test_what_was_set_aside_is_read_back_as_it_was(sent: Callable[..., Dispatched]) -> None:
    begun = sent(run_id=new_id(), message_id=new_id(), token_id=new_id(), channel="api", request_id="asked")
    assert begun.hold.tokens
    assert begun.hold.micros
    with reading() as session:
        found = reaper_service._dispatched(session, session.get_one(Attempt, begun.attempt_id))
    assert found == replace(begun, priced=None)


def test_of_a_conversation_that_goes_no_other_attempt_is_booked(
    sent: Callable[..., Dispatched], member: User, upstream: ScriptedUpstream
) -> None:
    other = sent()
    chat_service.send(member, Draft(text="go"), ORIGIN)
    wait_until(lambda: not run_service.live_runs())
    as_if_killed()
    with transaction() as session:
        reaper_service.book_unfinished(session, session.scalars(select(Conversation.id)).one())
    with reading() as session:
        found = {attempt.id == other.attempt_id: attempt.state for attempt in session.scalars(select(Attempt))}
    assert found == {True: "dispatched", False: "settled"}
