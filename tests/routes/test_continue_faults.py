"""Going on with an answer among workers that die, come back, or are elsewhere."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Attempt, Message, Run, TokenUsage
from flask_app.services.runs import lease_service, reaper_service, run_service
from tests.support import ledger
from tests.support.brokers import PATIENCE, wait_until
from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.upstream_paused import Paused

HALF, REST = "one two three", " four five"
JSON = {"Accept": "application/json"}


def go_on(client: PageClient, run_id: str) -> Any:
    return client.post(f"/api/runs/{run_id}/continue", json={}, headers=JSON).json


@pytest.fixture
def broken(member_client: PageClient, upstream: ScriptedUpstream) -> Any:
    """An answer that was cut at its length."""
    upstream.script(Answer(HALF, thinking="let me count", finish_reason="length"))
    return member_client.post("/api/chat", json={"message": "count"}, headers=JSON).json


def message(message_id: str) -> Message:
    with reading() as session:
        return session.get_one(Message, message_id)


def left_by_a_killed_worker(run_id: str, text: str) -> None:
    wait_until(lambda: not run_service.live_runs())  # who has told the end is still here for a moment
    long_ago = utc_now() - timedelta(minutes=5)
    with transaction() as session:
        run = session.get_one(Run, run_id)
        run.status, run.lease_expires_at, run.worker = "running", long_ago, "killed"
        session.execute(update(Message).where(Message.id == run.message_id).values(status="running", text=text))
        session.execute(update(Attempt).where(Attempt.run_id == run_id).values(state="dispatched", created_at=long_ago))
    attempts = select(Attempt.id).where(Attempt.run_id == run_id).scalar_subquery()
    ledger.forget(TokenUsage.attempt_id.in_(attempts))


def test_a_killed_continuation_is_counted_for_its_own_words_alone(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    upstream.script(Answer(REST))
    again = go_on(member_client, broken["run_id"])
    left_by_a_killed_worker(again["run_id"], HALF + " four")
    lease_service.tick()
    assert (message(broken["id"]).text, message(broken["id"]).status) == (HALF + " four", "interrupted")
    with reading() as session:
        first, second = session.scalars(select(TokenUsage).order_by(TokenUsage.id)).all()
    assert (first.source, second.source) == ("reported", "estimated")
    assert second.completion_tokens == 2, "`four` and its space"
    upstream.script(Answer(" five"))
    last = go_on(member_client, again["run_id"])
    assert last["text"] == HALF + REST
    assert last["reasoning"] == "let me count"
    assert last["usage"]["source"] == "estimated", "one estimate makes the sum one"


def test_a_late_writer_of_the_first_run_changes_nothing(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    """The first run's worker was taken for dead, comes back, and keeps the text it has."""
    upstream.script(Answer("word " * 2000, tokens_per_second=50))
    member_client.post("/api/chat", json={"message": "count"}, buffered=False).close()
    wait_until(lambda: run_service.live_runs() and run_service.live_runs()[0].completion.outcome.text)
    (first,) = run_service.live_runs()
    lease_service.keep()
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
        assert reaper_service.reap(session, first.begun.run_id)
    half = message(first.begun.message_id or "").text
    rest = Paused("", " the end")
    upstream.script(rest)
    again = member_client.post(f"/api/runs/{first.begun.run_id}/continue", json={}, buffered=False)
    assert message(first.begun.message_id or "").status == "running"
    lease_service._write([lease_service._text_so_far(first)])
    assert message(first.begun.message_id or "").text == half
    first.stop.stop("stopped")
    first.thread.join(PATIENCE)
    assert message(first.begun.message_id or "").status == "running"
    rest.go_on()
    told = events_of(b"".join(again.response))  # type: ignore[arg-type]
    assert told[-1].data["status"] == "complete"
    assert message(first.begun.message_id or "").text == half + " the end"


def test_the_first_runs_stored_events_tell_how_it_ended_while_another_goes_on(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    with transaction() as session:
        first = session.get_one(Run, broken["run_id"])
        ids = {name: getattr(first, name) for name in ("user_id", "conversation_id", "user_message_id", "message_id")}
        soon = utc_now() + timedelta(minutes=1)
        session.add(Run(id=new_id(), **ids, worker="another", lease_expires_at=soon))
        session.execute(update(Message).where(Message.id == broken["id"]).values(status="running", finish_reason=None))
    told = events_of(member_client.get(f"/api/runs/{broken['run_id']}/events?after={10**8}").data)
    assert (told[-1].name, told[-1].data["status"]) == ("done", "complete")
