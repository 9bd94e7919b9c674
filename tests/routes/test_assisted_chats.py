"""Conversations that begin with an assistant: its instructions come first in all that is asked there, as they are."""

import dataclasses
import json
from typing import Any

import pytest
from sqlalchemy import select

from flask_app import config
from flask_app.database import reading, transaction
from flask_app.domain.budget import MESSAGE_TOKENS
from flask_app.models import Assistant, Attempt, Conversation, User
from flask_app.services.assistants import own_assistants
from flask_app.services.chat import prompts
from flask_app.services.chat.chat_service import Draft
from flask_app.services.chat.prompts import Request, Turn
from tests.support import titled
from tests.support.assisted import ASSISTANTS, JSON, TUTOR, ask, keep
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.keys import served
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status

TOLD = {"role": "system", "content": TUTOR["instructions"]}


def said(upstream: ScriptedUpstream) -> list[dict[str, Any]]:
    """What the provider was sent last."""
    messages: list[dict[str, Any]] = upstream.journal.last.body["messages"]
    return messages


def assistant_of(client: PageClient, conversation_id: str) -> Any:
    return client.get(f"/api/conversations/{conversation_id}").json["assistant"]  # type: ignore[index]


@pytest.fixture
def tutor(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    return keep(member_client, model="deepseek-v4-pro", thinking="high")


def test_the_instructions_come_first_in_every_answer(
    member_client: PageClient, upstream: ScriptedUpstream, tutor: dict[str, Any]
) -> None:
    upstream.script(Answer("First"))
    first = ask(member_client, "one", assistant_id=tutor["id"]).json
    question = {"role": "user", "content": "one"}
    assert said(upstream) == [TOLD, question]
    shown = {name: tutor[name] for name in ("id", "name", "icon", "model", "thinking")}
    assert assistant_of(member_client, first["conversation_id"]) == shown
    upstream.script(Answer("Second, cut", finish_reason="length"))
    second = ask(member_client, "two", conversation_id=first["conversation_id"]).json
    so_far = [TOLD, question, {"role": "assistant", "content": "First"}, {"role": "user", "content": "two"}]
    assert said(upstream) == so_far
    member_client.post(f"/api/runs/{second['run_id']}/continue", json={}, headers=JSON)
    assert said(upstream)[:4] == so_far
    member_client.post(f"/api/messages/{first['user_message_id']}/answers", json={}, headers=JSON)
    assert said(upstream) == [TOLD, question]
    ask(member_client, "in other words", conversation_id=first["conversation_id"], parent_id=None)
    assert said(upstream) == [TOLD, {"role": "user", "content": "in other words"}]


def test_they_are_as_they_are_now_and_gone_with_their_assistant(
    member_client: PageClient, upstream: ScriptedUpstream, tutor: dict[str, Any]
) -> None:
    here = {"conversation_id": ask(member_client, assistant_id=tutor["id"]).json["conversation_id"]}
    path = f"{ASSISTANTS}/{tutor['id']}"
    assert member_client.patch(path, json={"instructions": "Be brief.", "name": "Brief"}).status_code == 200
    ask(member_client, **here)
    assert said(upstream)[0] == {"role": "system", "content": "Be brief."}
    assert assistant_of(member_client, here["conversation_id"])["name"] == "Brief"
    assert member_client.delete(path).status_code == 204
    ask(member_client, "and now?", **here)
    assert {message["role"] for message in said(upstream)} == {"user", "assistant"}
    assert assistant_of(member_client, here["conversation_id"]) is None
    with reading() as session:
        assert session.scalars(select(Conversation.assistant_id)).all() == [None]


def test_a_conversation_without_one_is_told_nothing(
    member_client: PageClient, upstream: ScriptedUpstream, tutor: dict[str, Any]
) -> None:
    begun = ask(member_client).json
    assert said(upstream) == [{"role": "user", "content": "hello"}]
    assert assistant_of(member_client, begun["conversation_id"]) is None
    refused = ask(member_client, conversation_id=begun["conversation_id"], assistant_id=tutor["id"])
    assert (refused.status_code, error_code(refused)) == (422, "invalid_field")
    assert "assistant_id" in refused.json["error"]["message"]
    assert len(upstream.journal.chats) == 1


@pytest.mark.parametrize("wrong", ["nobody", "0" * 26, 7])
def test_an_assistant_that_is_not_there_is_refused(
    member_client: PageClient, upstream: ScriptedUpstream, wrong: object
) -> None:
    refused = ask(member_client, assistant_id=wrong)
    gone = (404, "unknown_assistant") if wrong == "0" * 26 else (422, "invalid_field")
    assert (refused.status_code, error_code(refused)) == gone
    with reading() as session:
        assert session.scalars(select(Conversation.id)).all() == []
    assert upstream.journal.chats == []


def test_who_may_ask_no_more_hears_of_an_assistant_that_is_not_there(
    member_client: PageClient, upstream: ScriptedUpstream, tutor: dict[str, Any]
) -> None:
    """As whoever begins with one that is deleted in that moment, which no row may refer to."""
    config.install(dataclasses.replace(config.current(), max_runs_per_user=0))
    for assistant, answer in (("0" * 26, (404, "unknown_assistant")), (tutor["id"], (429, "too_many_runs"))):
        response = ask(member_client, assistant_id=assistant)
        assert (response.status_code, error_code(response)) == answer


@pytest.mark.security("foreign-is-absent")
def test_one_of_somebody_else_tells_nothing_even_where_a_row_says_so(
    member_client: PageClient, admin: User, upstream: ScriptedUpstream
) -> None:
    """No route writes such a row; whoever did would still not have another's words sent."""
    foreign = own_assistants.add(admin, {"name": "Theirs", "icon": "", "instructions": "secret"})
    begun = ask(member_client).json
    with reading() as session:
        conversation = session.get_one(Conversation, begun["conversation_id"])
    assert foreign.user_id != conversation.user_id
    give(begun["conversation_id"], foreign)
    ask(member_client, conversation_id=begun["conversation_id"])
    member_client.post(f"/api/messages/{begun['user_message_id']}/answers", json={}, headers=JSON)
    assert "secret" not in json.dumps([each.body for each in upstream.journal.chats])
    assert assistant_of(member_client, begun["conversation_id"]) is None


def give(conversation_id: str, assistant: Assistant) -> None:
    with transaction() as session:
        session.get_one(Conversation, conversation_id).assistant_id = assistant.id


def test_the_same_key_with_another_assistant_is_another_message(
    member_client: PageClient, upstream: ScriptedUpstream, tutor: dict[str, Any]
) -> None:
    sent = {"assistant_id": tutor["id"], "idempotency_key": "the-same"}
    first = ask(member_client, **sent).json
    again = ask(member_client, **sent).json
    assert (again["id"], len(upstream.journal.chats)) == (first["id"], 1)
    for other in (None, keep(member_client)["id"]):
        reused = ask(member_client, **sent | {"assistant_id": other})
        assert (reused.status_code, error_code(reused)) == (409, "idempotency_key_reused")
    plain, with_one = Draft(text="hello"), Draft(text="hello", assistant_id="a")
    assert plain.digest != with_one.digest


def request(*turns: Turn) -> Request:
    return Request(
        user_id="u", model=served("p"), turns=turns, thinking=None, channel="chat", request_id="r", address=""
    )


def test_they_are_reserved_and_estimated_as_a_message_is(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    question, told = Turn("user", "hello"), Turn("system", "Be brief. " * 100)
    more = prompts.bound(request(told, question)) - prompts.bound(request(question))
    assert more == MESSAGE_TOKENS + 1_000
    assert prompts.estimate(request(told, question)) - prompts.estimate(request(question)) == 300
    long = keep(member_client, instructions="Be brief. " * 100)["id"]
    ask(member_client), ask(member_client, assistant_id=long)
    with reading() as session:
        plain, assisted = session.scalars(select(Attempt).order_by(Attempt.id))
    assert (assisted.reserved_tokens or 0) - (plain.reserved_tokens or 0) == more


@pytest.mark.parametrize(
    ("turns", "code"),
    [
        ([Turn("system", "brief"), Turn("user", "one")], "message_too_long_with_instructions"),
        ([Turn("system", "brief"), Turn("user", "one"), Turn("assistant", "two")], "conversation_too_long"),
        ([Turn("system", "brief", {"role": "system"}), Turn("user", "one", {"role": "user"})], "conversation_too_long"),
    ],
)
def test_what_is_too_long_with_instructions_is_said(turns: list[Turn], code: str) -> None:
    assert prompts.code_of_length(request(*turns)) == code


def test_a_first_message_that_is_too_long_for_its_provider_is_kept_as_every_version_tells_it(
    member_client: PageClient, upstream: ScriptedUpstream, tutor: dict[str, Any]
) -> None:
    upstream.script(Status(400, "This model's maximum context length is 65536 tokens.", code="x"))
    failed = ask(member_client, assistant_id=tutor["id"]).json["error"]
    assert (failed["code"], failed.get("retryable")) == ("message_too_long_for_model", None)


def test_a_title_is_asked_for_without_them(
    member_client: PageClient, upstream: ScriptedUpstream, tutor: dict[str, Any]
) -> None:
    titled.choose()
    upstream.script(Answer("Greetings"), model=titled.WRITER)
    begun = ask(member_client, "hello", assistant_id=tutor["id"], model="deepseek-flash").json
    titled.wait()
    (asked,) = titled.requests(upstream)
    assert TUTOR["instructions"] not in json.dumps(asked.body)
    assert titled.title_of(begun["conversation_id"]) == "Greetings"
