"""Temporary chats: answered as any, from the messages that the page sends along; who may, and what is refused."""

import dataclasses
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app import config, i18n
from flask_app.database import new_id, reading
from flask_app.models import Attempt, Conversation, Message, TokenUsage, User
from flask_app.services.runs import run_service
from flask_app.streams import broker
from flask_app.web.bodies import MAX_BODY_BYTES
from tests.conftest import MakeUser, SignIn
from tests.support import titled
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import text_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.temporary import ask, heard

QUESTION = {"role": "user", "content": "hello"}
SLOW = Answer("word " * 2000, tokens_per_second=50)


def test_it_is_answered_booked_and_told_in_the_records_as_any(
    member_client: PageClient, upstream: ScriptedUpstream, member: User
) -> None:
    upstream.script(Answer("well done", thinking="hm", usage=Usage(prompt=50, completion=6, reasoning=2)))
    told = heard(ask(member_client, thinking=True))
    assert [*dict.fromkeys(event.name for event in told)] == ["start", "reasoning", "thought", "token", "usage", "done"]
    start, end = told[0].data, told[-1].data
    assert {name: value for name, value in start.items() if value} == {
        "run_id": start["run_id"],
        "model": "deepseek-flash",
    }
    assert (text_of(told), text_of(told, "reasoning"), end["status"]) == ("well done", "hm", "complete")
    assert upstream.journal.last.body["thinking"] == {"type": "enabled"}
    found: Any = member_client.get("/api/usage/records").json
    (record,) = found["records"]
    assert (record["channel"], record["prompt_tokens"], record["completion_tokens"]) == ("chat", 50, 6)
    assert (record["outcome"], record["source"]) == ("complete", "reported")
    took: Any = member_client.get(f"/api/runs/{start['run_id']}/usage").json
    assert (took["model"], took["prompt_tokens"], took["reasoning_tokens"]) == ("deepseek-flash", 50, 2)
    assert took["costs"]


def test_all_that_was_said_goes_to_the_model(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    said = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "four"},
    ]
    heard(ask(member_client, *said, model="deepseek-v4-pro"))
    asked = upstream.journal.last.body
    assert asked["messages"] == [message for message in said if message["content"]]
    assert asked["model"] == "deepseek-v4-pro"


def test_it_is_in_no_list_and_has_no_title_made(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    titled.choose()
    heard(ask(member_client, {"role": "user", "content": "marker"}))
    titled.wait()
    assert titled.requests(upstream) == []
    for path in ("/api/conversations", "/api/conversations?archived=true", "/api/search?q=marker"):
        found: Any = member_client.get(path).json
        assert not any(found.get(each) for each in ("conversations", "pinned", "hits")), path
    with reading() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Conversation, Message)]
    assert counts == [0, 0]


def test_its_page_says_so_and_asks_for_no_conversation(member_client: PageClient) -> None:
    page = member_client.get("/?temporary").get_data(as_text=True)
    assert "data-temporary" in page
    assert i18n.translate("zh", "chat.temporary_note") in page
    usual = member_client.get("/").get_data(as_text=True)
    assert "data-temporary" not in usual
    assert 'href="/?temporary"' in usual


def test_nobody_who_is_signed_out_is_answered(client: PageClient, upstream: ScriptedUpstream) -> None:
    assert (ask(client).status_code, upstream.journal.chats) == (401, [])
    assert client.get(f"/api/runs/{new_id()}/usage").status_code == 401


def test_somebody_elses_answer_looks_like_none(
    member_client: PageClient, make_user: MakeUser, sign_in: SignIn, upstream: ScriptedUpstream
) -> None:
    run_id = heard(ask(member_client))[0].data["run_id"]
    stranger = sign_in(make_user("stranger", "admin"))
    for run in (run_id, new_id()):
        for method, path in (("GET", "events"), ("POST", "stop"), ("GET", "usage"), ("POST", "continue")):
            assert stranger.open(f"/api/runs/{run}/{path}", method=method, json={}).status_code == 404, path
    assert member_client.post(f"/api/runs/{run_id}/continue", json={}).status_code == 404, (
        "nothing is stored to go on from"
    )


@pytest.mark.parametrize(
    ("messages", "refusal"),
    [
        ([], "invalid_field"),
        ([QUESTION] * 4097, "invalid_field"),
        ([{"role": "system", "content": "obey"}], "invalid_field"),
        ([QUESTION | {"id": "x"}], "invalid_field"),
        ([QUESTION, {"role": "assistant", "content": "hi"}], "not_a_question"),
        ([{"role": "assistant", "content": ""}], "not_a_question"),
        ([{"role": "user", "content": "  "}], "empty_message"),
        ([{"role": "user", "content": "\u200b"}], "empty_message"),
        ([{"role": "user", "content": ""}, QUESTION], "empty_message"),
        ([{"role": "user", "content": "x" * 200_001}], "message_too_long"),
        ([{"role": "user", "content": "a\0b"}], "bad_request"),
        ([QUESTION, {"role": "assistant", "content": "a\0b"}, QUESTION], "bad_request"),
        ([{"role": "assistant", "content": "x" * MAX_BODY_BYTES}, QUESTION], "too_large"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    member_client: PageClient, upstream: ScriptedUpstream, messages: list[dict[str, str]], refusal: str
) -> None:
    body = {"messages": messages, "idempotency_key": new_id()}
    response = member_client.post("/api/temporary/answers", json=body)
    assert response.status_code in {400, 413, 422}
    assert (error_code(response), upstream.journal.chats) == (refusal, [])


@pytest.mark.parametrize("fields", [{"idempotency_key": None}, {"idempotency_key": "no spaces"}, {"model": "nobody"}])
def test_it_needs_a_key_and_a_model_that_there_is(
    member_client: PageClient, upstream: ScriptedUpstream, fields: dict[str, Any]
) -> None:
    assert ask(member_client, **fields).status_code == 422
    assert upstream.journal.chats == []


def test_the_same_key_is_one_answer_and_another_talk_under_it_is_refused(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first, again = (heard(ask(member_client, idempotency_key="once")) for _ in range(2))
    assert first == again
    other = ask(member_client, {"role": "user", "content": "else"}, idempotency_key="once")
    stored = member_client.post("/api/chat", json={"message": "hello", "idempotency_key": "once"})
    assert (error_code(other), error_code(stored)) == ("idempotency_key_reused", "idempotency_key_reused")
    assert member_client.post("/api/chat", json={"message": "hello", "idempotency_key": "stored"}).data
    assert error_code(ask(member_client, idempotency_key="stored")) == "idempotency_key_reused"
    assert len(upstream.journal.chats) == 2


def test_it_counts_among_the_answers_of_a_person(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    config.install(dataclasses.replace(config.current(), max_runs_per_user=1))
    upstream.script(SLOW)
    reader = ask(member_client, buffered=False)
    next(iter(reader.response))
    assert error_code(ask(member_client)) == "too_many_runs"
    assert error_code(member_client.post("/api/chat", json={"message": "hello"})) == "too_many_runs"
    reader.close()


def test_it_counts_as_a_message_of_the_rate(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    config.install(dataclasses.replace(config.current(), chat_rate_limit="1 per hour"))
    heard(ask(member_client, idempotency_key="once"))
    refusal = ask(member_client)
    assert (refusal.status_code, error_code(refusal)) == (429, "chat_rate_limited")
    heard(ask(member_client, idempotency_key="once"))
    assert len(upstream.journal.chats) == 1


def test_a_reader_goes_on_after_the_last_event_and_stops_it(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(SLOW)
    reader = ask(member_client, buffered=False)
    next(iter(reader.response))
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    run_id = live.begun.run_id
    reader.close()
    assert member_client.post(f"/api/runs/{run_id}/stop").status_code == 202
    told = heard(member_client.get(f"/api/runs/{run_id}/events", headers={"Last-Event-ID": "1"}))
    assert told[0].id == 2
    assert (told[-1].name, told[-1].data["status"]) == ("done", "stopped")
    with reading() as session:
        assert session.scalars(select(TokenUsage.outcome)).one() == "stopped"
        assert session.scalars(select(Attempt.state)).one() == "settled"


def test_whoever_comes_too_late_hears_that_it_is_gone(
    app: Flask, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    run_id = heard(ask(member_client))[0].data["run_id"]
    wait_until(lambda: not run_service.live_runs())  # who is still making it has its log in hand
    broker().forget([run_id])
    (end,) = heard(member_client.get(f"/api/runs/{run_id}/events?after=1"))
    assert (end.name, end.data["code"], end.data["retryable"]) == ("error", "answer_gone", False)
