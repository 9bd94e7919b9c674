"""A process that is about to end: what it lets go, and what it no longer begins."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import Attempt, Message, Run
from flask_app.services.runs import closing, run_service
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream


@pytest.fixture(autouse=True)
def stays_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for flag in ("_is_leaving", "_is_closed"):
        monkeypatch.setattr(closing, flag, False)
    yield
    run_service.shutdown()


def count(kind: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_process_that_leaves_still_answers(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    closing.leave()
    upstream.script(Answer("whole"))
    events = events_of(member_client.post("/api/chat", json={"message": "go"}).data)
    assert (events[-1].name, events[-1].data["status"]) == ("done", "complete")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_closed_process_begins_no_answer(
    member_client: PageClient, upstream: ScriptedUpstream, language: str
) -> None:
    closing.close()
    refused = member_client.post("/api/chat", json={"message": "go"}, headers={"Accept-Language": language})
    assert (refused.status_code, error_code(refused)) == (503, "restarting")
    assert refused.headers["Retry-After"] == "2"
    assert ("restarted" if language == "en" else "重启") in refused.get_json()["error"]["message"]
    assert [count(kind) for kind in (Message, Run, Attempt)] == [0, 0, 0]
    assert len(upstream.journal.chats) == 0


def test_a_closed_process_goes_on_with_no_answer(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("cut", finish_reason="length"))
    run_id = events_of(member_client.post("/api/chat", json={"message": "go"}).data)[0].data["run_id"]
    closing.close()
    refused = member_client.post(f"/api/runs/{run_id}/continue", json={})
    assert (refused.status_code, error_code(refused)) == (503, "restarting")
    with reading() as session:
        assert set(session.scalars(select(Message.status))) == {"complete"}


def test_a_process_that_leaves_does_not_wait_for_a_dead_one(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    """The reader of its answer comes back to a process that stays, from where it was."""
    upstream.script(Answer("whole"))
    run_id = events_of(member_client.post("/api/chat", json={"message": "go"}).data)[0].data["run_id"]
    with transaction() as session:
        later = utc_now() + timedelta(seconds=20)
        session.execute(update(Run).values(status="running", lease_expires_at=later, worker="dead"))
    closing.leave()
    told = events_of(member_client.get(f"/api/runs/{run_id}/events?after=100000").data)
    assert told == []
    with transaction() as session:
        session.execute(update(Run).values(status="complete"))
    assert events_of(member_client.get(f"/api/runs/{run_id}/events?after=0").data)[-1].name == "done"


def test_whoever_waits_for_the_whole_of_an_answer_made_elsewhere_is_not_told_a_part_of_it(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    """As JSON, by a request that is sent again: it is there at a process that stays."""
    upstream.script(Answer("whole"))
    asked = {"message": "go", "idempotency_key": "0123456789abcdef"}
    assert events_of(member_client.post("/api/chat", json=asked).data)[-1].name == "done"
    wait_until(lambda: not run_service.live_runs())  # else it is made here
    with transaction() as session:
        later = utc_now() + timedelta(seconds=20)
        session.execute(update(Run).values(status="running", lease_expires_at=later, worker="dead"))
        session.execute(update(Message).where(Message.role == "assistant").values(status="running", text="wh"))
    closing.leave()
    told = member_client.post("/api/chat", json=asked, headers={"Accept": "application/json"})
    assert error_code(told) == "restarting"
