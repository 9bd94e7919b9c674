"""Answering a question once more: the question stays once, and gets another answer beside the first."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.models import Attempt, Message, Run, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.runs import run_service
from tests.conftest import MakeUser, SignIn
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status
from tests.support.together import at_once
from tests.support.upstream_paused import Paused

JSON = {"Accept": "application/json", "Accept-Language": "en"}
ENDLESS = Answer("word " * 2000, tokens_per_second=50)
KEY = "again-1"


def ask(client: PageClient, message: str = "why?", **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": message} | fields, headers=JSON).json


def again(client: PageClient, question_id: str, **fields: Any) -> Any:
    return client.post(f"/api/messages/{question_id}/answers", json=fields, headers=JSON)


def count(kind: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def rows() -> list[int]:
    return [count(kind) for kind in (Attempt, Message, Run, TokenUsage)]


@pytest.fixture
def first(member_client: PageClient, upstream: ScriptedUpstream) -> Any:
    """An answered question, the second of its conversation."""
    upstream.script(Answer("hello to you"), Answer("because"))
    greeting = ask(member_client, "hello")
    return ask(member_client, conversation_id=greeting["conversation_id"])


@pytest.fixture
def endless(member_client: PageClient, upstream: ScriptedUpstream, first: Any) -> Iterator[Any]:
    """The question of `first`, while it is answered for the second time."""
    upstream.script(ENDLESS)
    path = f"/api/messages/{first['user_message_id']}/answers"
    reply = member_client.post(path, json={"idempotency_key": KEY}, buffered=False)
    upstream.journal.wait_for(3)
    yield first
    for live in run_service.live_runs():
        live.stop.stop("stopped")
    wait_until(lambda: not run_service.live_runs())
    reply.close()


def test_the_question_stays_once_and_gets_another_answer(
    member_client: PageClient, upstream: ScriptedUpstream, first: Any
) -> None:
    upstream.script(Answer("for another reason"))
    reply = again(member_client, first["user_message_id"])
    assert reply.status_code == 200
    assert (reply.json["text"], reply.json["status"]) == ("for another reason", "complete")
    assert reply.json["parent_id"] == reply.json["user_message_id"] == first["user_message_id"]
    thread: Any = member_client.get(f"/api/conversations/{first['conversation_id']}").json
    told = [(message["role"], message["text"]) for message in thread["messages"]]
    answers = [("assistant", "because"), ("assistant", "for another reason")]
    assert told == [("user", "hello"), ("assistant", "hello to you"), ("user", "why?"), *answers]
    assert thread["messages"][-1]["run_id"] == reply.json["run_id"] != first["run_id"]


def test_the_provider_is_asked_with_what_led_to_the_question_alone(
    member_client: PageClient, upstream: ScriptedUpstream, first: Any
) -> None:
    ask(member_client, "and then?", conversation_id=first["conversation_id"])
    again(member_client, first["user_message_id"])
    turns = [(turn["role"], turn["content"]) for turn in upstream.journal.last.body["messages"]]
    assert turns == [("user", "hello"), ("assistant", "hello to you"), ("user", "why?")]


def test_it_streams_as_a_sent_message_does(member_client: PageClient, upstream: ScriptedUpstream, first: Any) -> None:
    reply = member_client.post(f"/api/messages/{first['user_message_id']}/answers", json={})
    told = events_of(reply.data)
    assert (reply.mimetype, told[0].name, told[-1].name) == ("text/event-stream", "start", "done")
    assert told[0].data["user_message_id"] == first["user_message_id"]
    assert told[0].data["message_id"] != first["id"]


def test_each_answer_is_booked_once(member_client: PageClient, upstream: ScriptedUpstream, first: Any) -> None:
    again(member_client, first["user_message_id"])
    with reading() as session:
        booked = session.scalars(select(TokenUsage.message_id)).all()
    assert len(booked) == len(set(booked)) == len(upstream.journal.chats) == 3


def test_another_model_and_thinking_may_be_asked_for(
    member_client: PageClient, upstream: ScriptedUpstream, first: Any
) -> None:
    reply = again(member_client, first["user_message_id"], model="deepseek-v4-pro", thinking=True).json
    asked = upstream.journal.last.body
    assert reply["model"] == asked["model"] == "deepseek-v4-pro"
    assert asked["thinking"] == {"type": "enabled"}


def test_the_next_message_may_follow_any_of_the_answers(
    member_client: PageClient, upstream: ScriptedUpstream, first: Any
) -> None:
    upstream.script(Answer("for another reason"))
    second = again(member_client, first["user_message_id"]).json
    place = {"conversation_id": first["conversation_id"]}
    for parent, words in ((first, "because"), (second, "for another reason")):
        ask(member_client, "go on", parent_id=parent["id"], **place)
        assert upstream.journal.last.body["messages"][-2]["content"] == words
    ask(member_client, "go on", **place)
    assert len(upstream.journal.last.body["messages"]) == 7, "without a parent the newest branch goes on"


def test_a_failed_answer_may_be_asked_for_again(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Status(400), Answer("there it is"))
    failed = ask(member_client)
    assert failed["status"] == "failed"
    assert again(member_client, failed["user_message_id"]).json["text"] == "there it is"


def test_the_same_wish_again_is_the_same_run(member_client: PageClient, upstream: ScriptedUpstream, first: Any) -> None:
    replies = [again(member_client, first["user_message_id"], idempotency_key=KEY).json for _ in range(2)]
    assert replies[0] == replies[1]
    assert len(upstream.journal.chats) == 3


@pytest.mark.parametrize("change", [{"model": "deepseek-v4-pro"}, {"thinking": True}])
def test_a_key_that_came_with_another_wish_is_refused(
    member_client: PageClient, upstream: ScriptedUpstream, first: Any, change: dict[str, Any]
) -> None:
    again(member_client, first["user_message_id"], idempotency_key=KEY)
    before = rows()
    refused = again(member_client, first["user_message_id"], idempotency_key=KEY, **change)
    assert (refused.status_code, error_code(refused)) == (409, "idempotency_key_reused")
    assert rows() == before


def test_a_key_that_came_with_a_message_is_refused(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    sent = ask(member_client, idempotency_key=KEY)
    refused = again(member_client, sent["user_message_id"], idempotency_key=KEY)
    assert (refused.status_code, error_code(refused)) == (409, "idempotency_key_reused")


def test_two_presses_are_one_answer(member_client: PageClient, upstream: ScriptedUpstream, first: Any) -> None:
    upstream.script(Answer("for another reason", tokens_per_second=20))
    replies: list[Any] = at_once(2, lambda _: again(member_client, first["user_message_id"], idempotency_key=KEY))
    assert [reply.json["text"] for reply in replies] == ["for another reason"] * 2
    assert len({reply.json["run_id"] for reply in replies}) == 1
    assert len(upstream.journal.chats) == 3


def test_of_two_at_once_without_a_key_one_is_refused(
    member_client: PageClient, upstream: ScriptedUpstream, first: Any
) -> None:
    answer = Paused("for another", " reason")
    upstream.script(answer)

    def press(_: int) -> Any:
        reply = again(member_client, first["user_message_id"])
        answer.go_on()  # the first to be told anything is the one that is refused
        return reply

    replies: list[Any] = at_once(2, press)
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    assert {error_code(reply) for reply in replies if reply.status_code == 409} == {"answer_running"}
    assert len(upstream.journal.chats) == 3


def test_while_the_question_is_answered_it_is_not_answered_again(member_client: PageClient, endless: Any) -> None:
    before = rows()
    refused = again(member_client, endless["user_message_id"])
    assert (refused.status_code, error_code(refused)) == (409, "answer_running")
    assert rows() == before


def test_an_exhausted_budget_refuses_it_before_anything_is_written(
    member_client: PageClient, member: User, upstream: ScriptedUpstream, first: Any
) -> None:
    place = Place(scope="user", scope_id=member.id, unit="tokens", period="day")
    budget_admin_service.add(Actor(None), place, 1, hard=True)
    before = rows()
    refused = again(member_client, first["user_message_id"])
    assert (refused.status_code, error_code(refused)) == (429, "budget_exhausted")
    assert refused.headers["Retry-After"]
    assert rows() == before
    assert len(upstream.journal.chats) == 2


def test_it_counts_among_the_answers_in_the_making(
    member_client: PageClient, upstream: ScriptedUpstream, first: Any
) -> None:
    upstream.script(*[ENDLESS] * 3)
    for _ in range(3):
        member_client.post("/api/chat", json={"message": "go"}, buffered=False).close()
    refused = again(member_client, first["user_message_id"])
    assert (refused.status_code, error_code(refused)) == (429, "too_many_runs")
    for live in run_service.live_runs():
        live.stop.stop("stopped")
    wait_until(lambda: not run_service.live_runs())


def test_an_answer_is_no_question(member_client: PageClient, upstream: ScriptedUpstream, first: Any) -> None:
    refused = again(member_client, first["id"])
    assert (refused.status_code, error_code(refused)) == (422, "not_a_question")


@pytest.mark.parametrize(
    "body",
    [{"model": ""}, {"model": "no-such"}, {"thinking": "yes"}, {"idempotency_key": "a b"}, {"text": "x"}, [], "x"],
)
def test_bad_input(member_client: PageClient, upstream: ScriptedUpstream, first: Any, body: Any) -> None:
    before = rows()
    reply = member_client.post(f"/api/messages/{first['user_message_id']}/answers", json=body, headers=JSON)
    assert reply.status_code in {400, 422}
    assert rows() == before


def test_signed_out(client: PageClient, first: Any) -> None:
    assert again(client, first["user_message_id"]).status_code == 401


def test_somebody_elses_looks_absent(make_user: MakeUser, sign_in: SignIn, first: Any) -> None:
    other = sign_in(make_user("other"))
    foreign, absent = again(other, first["user_message_id"]), again(other, "0" * 26)
    assert (foreign.status_code, error_code(foreign)) == (absent.status_code, error_code(absent)) == (404, "not_found")


def test_a_question_that_was_deleted_is_gone(member_client: PageClient, first: Any) -> None:
    member_client.delete(f"/api/conversations/{first['conversation_id']}")
    assert again(member_client, first["user_message_id"]).status_code == 404
