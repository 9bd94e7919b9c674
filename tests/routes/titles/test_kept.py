"""What stands in the way of a title: the conversation keeps its first words then, and nobody is asked twice."""

import dataclasses
import time
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from flask_app import config, metrics
from flask_app.database import reading, transaction, utc_now
from flask_app.models import ChatModel, Conversation, Run, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.completion.attempts import Outcome
from flask_app.services.conversations import title_service, title_setting
from flask_app.services.people import user_admin_service
from flask_app.services.runs import closing, reaper_service, run_service
from flask_app.services.runs.run_service import LEASE
from tests.support import titled
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.keys import change_key, keep_key, keep_provider, stored_key
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Stall, Status, Usage
from tests.support.titled import QUESTION, WRITER, Held, begin, states

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
JSON = {"Accept": "application/json"}


def test_it_leaves_its_key_a_place_for_an_answer(
    member_client: PageClient, upstream: ScriptedUpstream, held: Held
) -> None:
    change_key("environment", max_concurrent=2)
    begin(member_client, upstream)
    assert titled.ask(member_client, "another")[-1].name == "done"
    assert states()[0] == "dispatched"
    held.let_go()


def test_where_its_key_has_one_place_it_is_not_asked_for(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    change_key("environment", max_concurrent=1)
    started = titled.ask(member_client, QUESTION)[0].data
    titled.wait()
    assert titled.title_of(str(started["conversation_id"])) == QUESTION
    assert (titled.requests(upstream), titled.attempts()) == ([], [])


def test_one_that_is_deleted_meanwhile_stays_deleted(
    member_client: PageClient, upstream: ScriptedUpstream, held: Held
) -> None:
    path = f"/api/conversations/{begin(member_client, upstream)}"
    assert member_client.delete(path).status_code == 204
    held.let_go()
    assert member_client.get(path).status_code == 404
    assert states() == ["settled"]
    with reading() as session:
        assert session.scalars(select(Conversation.id)).all() == session.scalars(select(Run.id)).all() == []
        assert len(session.scalars(select(TokenUsage)).all()) == 2, "the count stays"


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (Status(500, "out of order"), "released"),
        (Status(429, "busy"), "released"),
        (Status(401, "no such key"), "released"),
        (Status(400, "no such model"), "released"),
        (Answer("never heard", cut_at=0), "released"),
        (Answer("A title that broke", cut_at=900), "settled"),
        (Answer("", thinking="so many thoughts", finish_reason="length"), "settled"),
        (Answer("  \n"), "settled"),
    ],
    ids=["500", "429", "401", "400", "cut", "cut in the middle", "thoughts alone", "blank"],
)
def test_whatever_the_provider_does_it_is_asked_once_and_nobody_is_told(
    member_client: PageClient, upstream: ScriptedUpstream, failure: Any, state: str
) -> None:
    """Although there is another key that would answer."""
    keep_key(stored_key("environment").provider_id, "second")
    upstream.script(failure, model=WRITER)
    with capture_logs() as logs:
        events = titled.ask(member_client, QUESTION)
        titled.wait()
    assert events[-1].name == "done"
    assert titled.title_of(events[0].data["conversation_id"]) == QUESTION
    assert (len(titled.requests(upstream)), states()) == (1, [state])
    assert [line["event"] for line in logs].count("no_title") == 1
    titled.ask(member_client, "more", conversation_id=events[0].data["conversation_id"])
    titled.wait()
    assert len(titled.requests(upstream)) == 1


def test_whose_budget_is_used_up_has_none(member_client: PageClient, upstream: ScriptedUpstream, member: User) -> None:
    place = Place(scope="user", scope_id=member.id, unit="tokens", period="day")
    budget_admin_service.add(Actor(None), place, 2000, hard=True)
    upstream.script(Answer("all of it", usage=Usage(prompt=1000, completion=950)))
    with capture_logs() as logs:
        events = titled.ask(member_client, QUESTION)
        titled.wait()
    assert events[-1].data["status"] == "complete"
    assert titled.title_of(events[0].data["conversation_id"]) == QUESTION
    assert (titled.requests(upstream), titled.attempts(), titled.runs()) == ([], [], [])
    assert [line["code"] for line in logs if line["event"] == "no_title"] == ["budget_exhausted"]


def test_what_it_may_use_is_reserved_while_it_is_written(
    member_client: PageClient, upstream: ScriptedUpstream, member: User, held: Held
) -> None:
    place = Place(scope="user", scope_id=member.id, unit="tokens", period="day")
    budget_admin_service.add(Actor(None), place, 5000, hard=True)
    begin(member_client, upstream)
    (attempt,) = titled.attempts()
    own: Any = member_client.get("/api/budgets").json
    (budget,) = own["budgets"]
    assert attempt.reserved_tokens
    assert budget["reserved"] == attempt.reserved_tokens < 1000
    held.let_go()


def test_many_who_ask_for_one_title_at_once_ask_once(member: User, upstream: ScriptedUpstream) -> None:
    titled.forget_the_choice()
    upstream.script(answer := Held("words"))
    begun = chat_service.send(member, Draft(text=QUESTION), ORIGIN)
    (live,) = run_service.live_runs()
    answer.let_go()
    titled.choose()
    upstream.script(Answer("The title"), model=WRITER)
    for _ in range(8):
        title_service.consider(begun, live.completion.request, Outcome(text_parts=["words"]))
    titled.wait()
    assert (len(titled.requests(upstream)), states()) == (1, ["settled"])
    assert titled.title_of(begun.conversation_id) == "The title"


def test_one_whose_worker_died_is_booked_and_not_asked_for_again(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Stall("A title that nobody"), model=WRITER)
    conversation_id = begin(member_client, upstream)
    (live,) = run_service.live_runs()
    (run,) = titled.runs()
    assert run.id == live.begun.run_id
    with transaction() as session:  # as the database has it when this process is gone
        session.execute(
            update(Run).where(Run.id == run.id).values(worker="dead", lease_expires_at=utc_now() - 2 * LEASE)
        )
    assert reaper_service.reap_all()
    assert (titled.runs(), states()) == ([], ["settled"])
    run_service.shutdown()
    with reading() as session:
        sources = dict(session.execute(select(TokenUsage.channel, TokenUsage.source)).all())
    assert sources == {"chat": "reported", "title": "estimated"}
    titled.ask(member_client, "more", conversation_id=conversation_id)
    titled.wait()
    assert titled.title_of(conversation_id) == QUESTION
    assert len(titled.requests(upstream)) == 1


def test_the_end_of_a_process_waits_for_no_title(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Stall("The beginning"), model=WRITER)
    conversation_id = begin(member_client, upstream)
    assert run_service.live_runs()
    began = time.monotonic()
    run_service.wait(20)
    assert time.monotonic() - began < 10
    run_service.shutdown()
    assert time.monotonic() - began < 15
    assert (states(), titled.runs(), titled.title_of(conversation_id)) == (["settled"], [], QUESTION)


def test_a_process_that_leaves_begins_none(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(closing, "_is_leaving", True)
        titled.ask(member_client, QUESTION)
        titled.wait()
    assert titled.requests(upstream) == []


def test_it_takes_no_place_among_a_persons_answers(
    member_client: PageClient, upstream: ScriptedUpstream, held: Held
) -> None:
    config.install(dataclasses.replace(config.current(), max_runs_per_user=1))
    begin(member_client, upstream)
    assert titled.ask(member_client, "another")[-1].name == "done"
    assert states()[0] == "dispatched"
    held.let_go()


def test_it_is_counted_as_no_answer(member_client: PageClient, upstream: ScriptedUpstream, held: Held) -> None:
    def counts() -> list[float]:
        found = {each.name: each.value for each in (s for m in metrics.ANSWERS_BEGUN.collect() for s in m.samples)}
        ended = sum(s.value for m in metrics.ANSWERS_ENDED.collect() for s in m.samples)
        return [found["mingchat_answers_begun_total"], ended]

    before = counts()
    begin(member_client, upstream)
    wait_until(lambda: metrics.ANSWERS_RUNNING._value.get() == 0)
    held.let_go()
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 1]


def test_nobody_reaches_it_as_a_run(member_client: PageClient, upstream: ScriptedUpstream, held: Held) -> None:
    begin(member_client, upstream)
    (run,) = titled.runs()
    assert member_client.get(f"/api/runs/{run.id}/events").status_code == 404
    assert member_client.post(f"/api/runs/{run.id}/stop").status_code == 404
    assert member_client.post(f"/api/runs/{run.id}/continue", json={}).status_code == 404
    held.let_go()


def test_whoever_is_disabled_has_theirs_ended(
    member_client: PageClient, admin: User, member: User, upstream: ScriptedUpstream
) -> None:
    upstream.script(Stall("The beginning"), model=WRITER)
    begin(member_client, upstream)
    user_admin_service.change(Actor(admin), member.id, disabled=True)
    titled.wait()
    with reading() as session:
        entry = session.scalars(select(TokenUsage).where(TokenUsage.channel == "title")).one()
    assert entry.outcome == "stopped"


def test_a_model_that_is_gone_has_its_successor_write(
    member_client: PageClient, upstream: ScriptedUpstream, chosen: str
) -> None:
    old = keep_provider("Gone", "https://gone.example.com", models=["old"])
    with transaction() as session:
        model = session.scalars(select(ChatModel).where(ChatModel.provider_id == old)).one()
        model.listed, model.successor_id = False, chosen
    title_setting.choose(Actor(None), model.id)
    upstream.script(Answer("By the successor"), model=WRITER)
    events = titled.ask(member_client, QUESTION)
    titled.wait()
    assert titled.title_of(events[0].data["conversation_id"]) == "By the successor"


def test_a_model_whose_row_is_gone_writes_none(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    gone = keep_provider("Gone", "https://gone.example.com", models=["old"])
    with reading() as session:
        model_id = session.scalars(select(ChatModel.id).where(ChatModel.provider_id == gone)).one()
    title_setting.choose(Actor(None), model_id)
    with transaction() as session:
        session.execute(delete(ChatModel).where(ChatModel.id == model_id))
    titled.ask(member_client, QUESTION)
    titled.wait()
    assert len(upstream.journal.chats) == 1
