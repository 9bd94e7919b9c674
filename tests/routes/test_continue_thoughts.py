"""Going on with an answer that has no word yet: it begins anew, and its thoughts stand until something comes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now, writing
from flask_app.domain.events import estimate_tokens
from flask_app.models import Message, Run, TokenUsage
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import environment_key, key_admin_service
from flask_app.services.runs import answer_service, lease_service, reaper_service, run_service
from flask_app.services.runs.run_service import LiveRun
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import events_of, text_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Stall, Status

THINKS = Answer("never said", thinking="first thoughts " * 1000, tokens_per_second=50)
THINKS_ANEW = Answer("never said", thinking="new thoughts " * 1000, tokens_per_second=50)
REST = Answer("the answer", thinking="new")
JSON = {"Accept": "application/json", "Accept-Language": "en"}


def go_on(client: PageClient, run_id: str) -> Any:
    return client.post(f"/api/runs/{run_id}/continue", json={}, headers=JSON).json


def begin_again(client: PageClient, run_id: str) -> LiveRun:
    client.post(f"/api/runs/{run_id}/continue", json={}, buffered=False).close()
    return live_run()


def live_run() -> LiveRun:
    (live,) = run_service.live_runs()
    return live


def thinking_run() -> LiveRun:
    wait_until(lambda: any(live.completion.outcome.reasoning_parts for live in run_service.live_runs()))
    return live_run()


def end(live: LiveRun, status: str = "interrupted") -> None:
    live.stop.stop(status)
    live.thread.join()


def reap(live: LiveRun) -> None:
    """Its worker is taken for dead."""
    lapsed = {"worker": "killed", "lease_expires_at": utc_now() - timedelta(seconds=1)}
    with transaction() as session:
        session.execute(update(Run).where(Run.id == live.begun.run_id).values(lapsed))
    with transaction() as session:
        assert reaper_service.reap(session, live.begun.run_id)


def answer() -> Message:
    with reading() as session:
        return session.scalars(select(Message).where(Message.role == "assistant")).one()


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.id)))


@pytest.fixture
def thought(member_client: PageClient, upstream: ScriptedUpstream) -> str:
    """A run that was interrupted in its thoughts, by a restart."""
    upstream.script(THINKS)
    member_client.post("/api/chat", json={"message": "count", "thinking": True}, buffered=False).close()
    live = thinking_run()
    run_service.shutdown()
    assert (answer().text, answer().status) == ("", "interrupted")
    assert answer().reasoning
    return live.begun.run_id


def test_it_begins_anew(member_client: PageClient, upstream: ScriptedUpstream, thought: str) -> None:
    upstream.script(REST)
    again = go_on(member_client, thought)
    assert (again["text"], again["reasoning"], again["status"]) == ("the answer", "new", "complete")
    before, after = upstream.journal.chats
    assert after.body["thinking"] == before.body["thinking"] == {"type": "enabled"}
    assert after.body["messages"] == before.body["messages"]
    assert [entry.source for entry in entries()] == ["estimated", "reported"]


@pytest.mark.parametrize("failure", [Status(503), Status(400)])
def test_one_that_fails_leaves_the_thoughts_and_can_be_gone_on_with(
    member_client: PageClient, upstream: ScriptedUpstream, thought: str, failure: Status
) -> None:
    before, run_id = answer(), thought
    upstream.script(failure, always=True)
    for _ in range(2):
        failed = go_on(member_client, run_id)
        assert (failed["text"], failed["reasoning"], failed["status"]) == ("", before.reasoning, "interrupted")
        assert failed["error"]["code"] == answer().error_code
        run_id = failed["run_id"]
        key_admin_service.clear_bench(Actor(None), environment_key.ID)
    assert len(entries()) == 1, "a refusal costs nothing"
    upstream.forget_scripts()
    upstream.script(REST)
    again = go_on(member_client, run_id)
    assert (again["text"], again["reasoning"], again["status"]) == ("the answer", "new", "complete")
    assert upstream.journal.last.body["thinking"] == {"type": "enabled"}


def test_one_without_a_word_or_thought_can_be_gone_on_with_after_a_failure(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Stall(seconds=30), Status(400), REST)
    member_client.post("/api/chat", json={"message": "count"}, buffered=False).close()
    first = live_run()
    wait_until(lambda: upstream.journal.chats)
    end(first, "stopped")
    failed = go_on(member_client, first.begun.run_id)
    assert failed["error"]["code"] == "upstream_rejected"
    assert go_on(member_client, failed["run_id"])["text"] == "the answer"


def test_readers_of_one_that_fails_have_the_thoughts_in_the_end(
    member_client: PageClient, upstream: ScriptedUpstream, thought: str
) -> None:
    upstream.script(Status(400))
    told = events_of(member_client.post(f"/api/runs/{thought}/continue", json={}).data)
    assert [event.name for event in told] == ["start", "reasoning", "thought", "usage", "error"]
    assert text_of(told, "reasoning") == answer().reasoning
    upstream.script(REST)
    told = events_of(member_client.post(f"/api/runs/{thought}/continue", json={}).data)
    assert (text_of(told, "reasoning"), text_of(told)) == ("new", "the answer")


def test_thoughts_of_the_run_before_are_not_booked_again(
    member_client: PageClient, upstream: ScriptedUpstream, thought: str
) -> None:
    before = answer().reasoning
    upstream.script(Stall(seconds=30))
    second = begin_again(member_client, thought)
    assert answer().reasoning == before, "until something has come"
    lease_service.keep()
    reap(second)
    assert (answer().reasoning, answer().status) == (before, "interrupted")
    assert [entry.completion_tokens for entry in entries()][1:] == [0]
    end(second)
    assert answer().reasoning == before


def test_a_worker_that_dies_in_new_thoughts_leaves_those_and_they_alone_are_booked(
    member_client: PageClient, upstream: ScriptedUpstream, thought: str
) -> None:
    upstream.script(THINKS_ANEW)
    begin_again(member_client, thought)
    second = thinking_run()
    wait_until(lambda: len(second.completion.outcome.reasoning_parts) > 5)
    lease_service.keep()
    kept = answer().reasoning
    reap(second)
    mine = answer().reasoning
    assert kept.endswith(mine)
    assert mine.startswith("new thoughts")
    assert "first" not in mine
    assert entries()[-1].completion_tokens == estimate_tokens(mine)
    end(second)
    assert answer().reasoning == mine, "what a reaper has ended stays"


def test_words_come_back_after_a_reaper_who_had_nothing_but_the_thoughts_of_before(
    member_client: PageClient, upstream: ScriptedUpstream, thought: str
) -> None:
    upstream.script(Stall(seconds=30))
    second = begin_again(member_client, thought)
    reap(second)
    outcome = second.completion.outcome
    outcome.text_parts, outcome.reasoning_parts = ["the answer"], ["new"]
    with writing() as connection:
        ids = {"run_id": second.begun.run_id, "message_id": answer().id}
        answer_service.restore(connection, outcome, **ids)
    assert (answer().text, answer().reasoning) == ("the answer", "new")
    end(second)
