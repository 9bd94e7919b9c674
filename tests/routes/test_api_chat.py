"""POST /api/chat: answers, refusals, faults of the provider, and what the ledger says afterwards."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.models import Attempt, Conversation, Message, Run, TokenUsage
from tests.support import scripted_upstream as twin
from tests.support.events import ServerEvent, events_of, text_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

USAGE = twin.Usage(prompt=12, cached=8, completion=7, reasoning=2)


def send(client: FlaskClient, message: str = "hello", **fields: object) -> list[ServerEvent]:
    response = client.post("/api/chat", json={"message": message, **fields})
    assert response.status_code == 200, response.get_data(as_text=True)
    assert response.mimetype == "text/event-stream"
    return events_of(response.data)


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.created_at, TokenUsage.id)))


def attempts() -> list[Attempt]:
    with reading() as session:
        return list(session.scalars(select(Attempt).order_by(Attempt.created_at, Attempt.id)))


def stored(message_id: str) -> Message:
    with reading() as session:
        return session.get_one(Message, message_id)


def count(model: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_an_answer_streams_is_stored_and_booked(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("你好 👋 world", thinking="let me see", usage=USAGE, actual_model="deepseek-flash"))
    events = send(member_client, "问候 𠮷")
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert events[0].name == "start"
    assert (text_of(events), text_of(events, "reasoning")) == ("你好 👋 world", "let me see")
    assert events[-1].name == "done"
    assert events[-1].data == {"status": "complete", "finish_reason": "stop", "title": "问候 𠮷"}
    message = stored(events[0].data["message_id"])
    assert (message.text, message.reasoning, message.status) == ("你好 👋 world", "let me see", "complete")
    (entry,) = entries()
    assert (entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens) == (12, 8, 7, 2)
    assert (entry.source, entry.outcome, entry.actual_model) == ("reported", "complete", "deepseek-flash")
    assert entry.cost_micros is not None
    assert [attempt.state for attempt in attempts()] == ["settled"]


def test_the_whole_answer_comes_as_json_on_request(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("whole", usage=USAGE))
    response = member_client.post("/api/chat", json={"message": "hi"}, headers={"Accept": "application/json"})
    assert response.status_code == 200
    assert response.json is not None
    assert (response.json["text"], response.json["status"]) == ("whole", "complete")
    assert response.json["usage"]["total_tokens"] == 19
    assert response.json["usage"]["source"] == "reported"


def test_a_conversation_goes_on_with_what_was_said(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("first answer", thinking="secret thoughts"), Answer("second answer"))
    start = send(member_client, "one")[0].data
    send(member_client, "two", conversation_id=start["conversation_id"])
    assert upstream.journal.last.body["messages"] == [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "first answer"},
        {"role": "user", "content": "two"},
    ]
    thread = member_client.get(f"/api/conversations/{start['conversation_id']}").json
    assert thread is not None
    assert [message["text"] for message in thread["messages"]] == ["one", "first answer", "two", "second answer"]


def test_a_reply_may_follow_an_earlier_message(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    first = send(member_client, "one")[0].data
    send(member_client, "two", conversation_id=first["conversation_id"])
    send(member_client, "other", conversation_id=first["conversation_id"], parent_id=first["message_id"])
    asked = [turn["content"] for turn in upstream.journal.last.body["messages"]]
    assert asked[0] == "one"
    assert asked[-1] == "other"
    assert "two" not in asked


def test_the_first_question_can_be_asked_again(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    first = send(member_client, "one")[0].data
    again = send(member_client, "one, better", conversation_id=first["conversation_id"], parent_id=None)[0].data
    assert upstream.journal.last.body["messages"] == [{"role": "user", "content": "one, better"}]
    assert stored(again["user_message_id"]).parent_id is None


def test_what_the_provider_is_asked_names_no_person(
    member_client: FlaskClient, upstream: ScriptedUpstream, member: Any
) -> None:
    send(member_client)
    body = upstream.journal.last.body
    assert body["stream_options"] == {"include_usage": True}
    assert body["thinking"] == {"type": "disabled"}
    assert body["user_id"]
    assert member.id not in json.dumps(body)
    assert member.username not in json.dumps(body)


def test_thinking_is_asked_for_by_the_person(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    send(member_client, thinking=True)
    assert upstream.journal.last.body["thinking"] == {"type": "enabled"}


def test_usage_that_never_comes_is_a_labelled_estimate(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("an answer of some length", tells_usage=False))
    events = send(member_client, "how long?")
    (entry,) = entries()
    assert entry.source == "estimated"
    assert entry.prompt_tokens > 0
    assert entry.completion_tokens > 0
    assert next(event for event in events if event.name == "usage").data["source"] == "estimated"


def test_cumulative_usage_is_not_added_up(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("one two three four", usage=USAGE, cumulative_usage=True))
    send(member_client)
    (entry,) = entries()
    assert (entry.prompt_tokens, entry.completion_tokens) == (12, 7)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "upstream_rejected"), (401, "upstream_key_refused"), (402, "upstream_no_balance")]
)
def test_a_refusal_is_told_and_costs_nothing(
    member_client: FlaskClient, upstream: ScriptedUpstream, status: int, code: str
) -> None:
    upstream.script(twin.Status(status, "key sk-secret refused", retry_after=None), always=True)
    events = send(member_client)
    assert (events[-1].name, events[-1].data["code"]) == ("error", code)
    assert "sk-secret" not in repr(events)
    assert entries() == []
    assert {attempt.state for attempt in attempts()} == {"released"}
    assert stored(events[0].data["message_id"]).status == "failed"


def test_a_dead_provider_is_told_and_the_question_is_kept(
    member_client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(twin.Raw(parts=(), resets=True), always=True)
    events = send(member_client, "keep me")
    assert events[-1].name == "error"
    assert events[-1].data["message"]
    assert stored(events[0].data["user_message_id"]).text == "keep me"


@pytest.mark.parametrize(
    "script",
    [
        Answer("begun and then it is cut off in the middle", cut_at=900),
        twin.ErrorEvent(after="begun "),
        twin.Raw(after="begun "),
        Answer("begun and never ended", says_done=False, finish_reason=""),
    ],
)
def test_a_stream_that_breaks_keeps_its_text_and_books_it(
    member_client: FlaskClient, upstream: ScriptedUpstream, script: twin.Script
) -> None:
    upstream.script(script)
    events = send(member_client)
    assert events[-1].name == "error"
    message = stored(events[0].data["message_id"])
    assert message.text.startswith("begun")
    assert message.text == text_of(events)
    assert message.status == "interrupted"
    (entry,) = entries()
    assert entry.outcome == "interrupted"
    assert entry.prompt_tokens + entry.completion_tokens > 0


def test_cut_after_the_provider_took_it_up_the_question_is_booked(
    member_client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    role = b'data: {"model":"deepseek-flash","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
    upstream.script(twin.Raw(parts=(role,), resets=True))
    assert send(member_client)[-1].data["code"] == "upstream_cut"
    (entry,) = entries()
    assert (entry.source, entry.outcome, entry.completion_tokens) == ("estimated", "failed", 0)
    assert entry.prompt_tokens > 0


def test_no_done_but_a_reason_to_finish_is_complete(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("all of it", says_done=False, usage=USAGE))
    assert send(member_client)[-1].data["status"] == "complete"


def test_every_provider_request_has_its_attempt(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("a"), twin.Status(400), Answer("b", tells_usage=False), twin.ErrorEvent())
    for _ in range(4):
        send(member_client)
    assert len(attempts()) == len(upstream.journal.chats)
    reported = [entry for entry in entries() if entry.source == "reported"]
    sent = [request.usage_sent for request in upstream.journal.chats if request.usage_sent]
    assert [(e.prompt_tokens, e.completion_tokens) for e in reported] == [(u.prompt, u.completion) for u in sent]
    assert not [attempt for attempt in attempts() if attempt.state == "dispatched"]


def test_sending_twice_with_one_key_is_one_answer(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("once"))
    first = send(member_client, idempotency_key="abc-123")
    second = send(member_client, idempotency_key="abc-123")
    assert second[0].data["run_id"] == first[0].data["run_id"]
    assert text_of(second) == "once"
    assert len(upstream.journal.chats) == len(entries()) == count(Run) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"message": ""}, 422, "empty_message"),
        ({"message": "   \n "}, 422, "empty_message"),
        ({"message": "\u200b\u2060\ufeff"}, 422, "empty_message"),
        ({"message": "x" * 200_001}, 422, "message_too_long"),
        ({"message": "a\x00b"}, 400, "bad_request"),
        ({"message": "中" * 70_000}, 422, "message_too_long"),
        ({}, 422, "invalid_field"),
        ({"message": 1}, 422, "invalid_field"),
        ({"message": True}, 422, "invalid_field"),
        ({"message": "hi", "model": "no-such-model"}, 422, "unknown_model"),
        ({"message": "hi", "role": "system"}, 422, "invalid_field"),
        ({"message": "hi", "conversation_id": "x"}, 422, "invalid_field"),
        ({"message": "hi", "conversation_id": "0" * 26}, 404, "not_found"),
        ({"message": "hi", "parent_id": "0" * 26}, 422, "invalid_field"),
        ({"message": "hi", "thinking": "yes"}, 422, "invalid_field"),
        ({"message": "hi", "idempotency_key": "with spaces"}, 422, "invalid_field"),
    ],
)
def test_bad_input_is_told_and_nothing_is_asked_or_written(
    member_client: FlaskClient, upstream: ScriptedUpstream, body: dict[str, object], status: int, code: str
) -> None:
    response = member_client.post("/api/chat", json=body)
    assert response.status_code == status
    assert response.json is not None
    assert response.json["error"]["code"] == code
    assert response.json["error"]["message"]
    assert not upstream.journal.chats
    assert count(Conversation) == count(Message) == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'{"message":"a","message":"b"}',
        b'{"message":"\\ud800"}',
        b'{"message":NaN}',
        b'{"message":1e999}',
        b'{"message":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"\xff\xfe",
    ],
)
def test_malformed_json_is_refused(member_client: FlaskClient, upstream: ScriptedUpstream, raw: bytes) -> None:
    response = member_client.post("/api/chat", data=raw, content_type="application/json")
    assert response.status_code in {400, 422}
    assert not upstream.journal.chats


def test_a_body_over_the_cap_is_refused(member_client: FlaskClient) -> None:
    assert member_client.post("/api/chat", json={"message": "x" * (1 << 20)}).status_code == 413


@pytest.mark.security("changes-from-our-pages")
def test_a_form_is_not_json(member_client: FlaskClient) -> None:
    response = member_client.post("/api/chat", data={"message": "hi"})
    assert response.status_code == 400


def test_signed_out_is_told_to_sign_in(client: FlaskClient, upstream: ScriptedUpstream) -> None:
    response = client.post("/api/chat", json={"message": "hi"})
    assert response.status_code == 401
    assert not upstream.journal.chats


def test_somebody_elses_conversation_looks_absent(
    member_client: FlaskClient, sign_in: Callable[..., FlaskClient], make_user: Callable[..., Any]
) -> None:
    start = send(member_client)[0].data
    other = sign_in(make_user("other"))
    response = other.post("/api/chat", json={"message": "hi", "conversation_id": start["conversation_id"]})
    assert response.status_code == 404
