"""Programs that speak Anthropic's Messages API: answers in its shape, whole and as events, on the person's own bill."""

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.gateway import program_answers
from tests.support.clients import PageClient
from tests.support.gateway import HELLO, Program, made, message_events
from tests.support.scripted_upstream import Answer, ErrorEvent, ScriptedUpstream, Stall, Status, Usage

COUNT = "/v1/messages/count_tokens"
COUNTED = Usage(prompt=9, cached=4, completion=5, reasoning=1)
THOUGHT = Answer("Hi there", thinking="hm", actual_model="flash-2", usage=COUNTED)


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def booked() -> TokenUsage:
    """The ledger's only entry."""
    with reading() as session:
        return session.scalars(select(TokenUsage)).one()


def fault(response: Any) -> dict[str, Any]:
    told: dict[str, Any] = response.get_json()
    assert set(told) == {"type", "error", "request_id"}
    assert (told["type"], set(told["error"])) == ("error", {"type", "message"})
    assert told["error"]["message"]
    assert told["request_id"] == response.headers["request-id"] == response.headers["x-request-id"]
    return dict(told["error"])


def beat_until(ended: threading.Event) -> None:
    while not ended.wait(0.05):
        program_answers._logs.beat()


def test_a_whole_message_has_anthropics_shape_and_the_ledgers_count(
    program: Program, upstream: ScriptedUpstream
) -> None:
    upstream.script(THOUGHT)
    response = program.message()
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.get_json()
    assert told.pop("id").startswith("msg_")
    thinking, text = told.pop("content")
    assert (thinking["type"], thinking["thinking"]) == ("thinking", "hm")
    assert thinking["signature"], "clients send none back that has no signature"
    assert text == {"type": "text", "text": "Hi there"}
    usage = {"input_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 4, "output_tokens": 5}
    assert told == {
        "type": "message",
        "role": "assistant",
        "model": "flash-2",
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage | {"output_tokens_details": {"thinking_tokens": 1}, "source": "reported"},
    }
    entry = booked()
    assert (entry.channel, entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens) == ("api", 9, 4, 5)
    assert response.headers["request-id"] == response.headers["x-request-id"]
    assert "Set-Cookie" not in response.headers


def test_a_stream_is_events_in_anthropics_order(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(THOUGHT)
    response = program.message(stream=True)
    assert response.mimetype == "text/event-stream"
    events = message_events(response)
    assert [event["type"] for event in events] == [
        "message_start",
        *("content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"),
        *("content_block_start", *["content_block_delta"] * (len(events) - 9), "content_block_stop"),
        *("message_delta", "message_stop"),
    ]
    begun = events[0]["message"]
    assert (begun["content"], begun["stop_reason"], begun["model"]) == ([], None, "flash-2")
    assert begun["usage"]["input_tokens"] > 0, "about how much was asked is known"
    assert "source" not in begun["usage"], "clients would keep it as the whole message's"
    thought, signed = events[2]["delta"], events[3]["delta"]
    assert thought == {"type": "thinking_delta", "thinking": "hm"}
    assert (signed["type"], bool(signed["signature"])) == ("signature_delta", True)
    assert {event["index"] for event in events[1:5]} == {0}
    assert {event["index"] for event in events[5:-2]} == {1}
    assert "".join(event["delta"]["text"] for event in events[6:-3]) == "Hi there"
    assert events[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert (events[-2]["usage"]["input_tokens"], events[-2]["usage"]["cache_read_input_tokens"]) == (5, 4)
    assert events[-2]["usage"]["output_tokens"] == booked().completion_tokens == 5
    assert events[-2]["usage"]["source"] == booked().source == "reported"


@pytest.mark.parametrize(
    ("said", "told"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal"), ("whatever", "end_turn")],
)
def test_why_it_ended_is_told_in_anthropics_words(
    program: Program, upstream: ScriptedUpstream, said: str, told: str
) -> None:
    upstream.script(*[Answer("Hi", finish_reason=said)] * 2)
    assert program.message().get_json()["stop_reason"] == told
    assert message_events(program.message(stream=True))[-2]["delta"]["stop_reason"] == told


def test_an_answer_without_a_word_is_one_without_blocks(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(*[Answer("")] * 2)
    assert program.message().get_json()["content"] == []
    names = [event["type"] for event in message_events(program.message(stream=True))]
    assert names == ["message_start", "message_delta", "message_stop"]


def call(arguments: str) -> Answer:
    function = {"name": "weather", "arguments": arguments}
    delta = {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}
    return Answer("", deltas=(delta,), finish_reason="tool_calls")


def test_a_tool_is_called(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(*[call('{"city":"Rome"}')] * 2)
    told = program.message().get_json()
    assert told["content"] == [{"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}}]
    assert told["stop_reason"] == "tool_use"
    begun, added = message_events(program.message(stream=True))[1:3]
    assert begun["content_block"] == {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}}
    assert added["delta"] == {"type": "input_json_delta", "partial_json": '{"city":"Rome"}'}


def test_no_tool_is_called_with_what_cannot_be_read(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(*[call('{"city":')] * 2)
    response = program.message()
    assert (response.status_code, fault(response)["type"]) == (502, "api_error")
    assert booked().outcome == "complete", "it was made, and is booked"
    *_, last = message_events(program.message(stream=True))
    assert (last["type"], last["error"]["type"]) == ("error", "api_error")


def test_an_estimate_says_that_it_is_one(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hi there", tells_usage=False))
    told = program.message().get_json()["usage"]
    assert told["source"] == booked().source == "estimated"
    assert (told["input_tokens"], told["output_tokens"]) == (booked().prompt_tokens, booked().completion_tokens)


@pytest.mark.security("token-opens-the-gateway", "scope-by-every-way")
@pytest.mark.parametrize("header", ["Authorization", "x-api-key"])
def test_either_header_may_carry_the_token(app: Flask, member: User, upstream: ScriptedUpstream, header: str) -> None:
    program = Program(app, "")
    secret = made(member).secret
    program.headers = {header: f"Bearer {secret}" if header == "Authorization" else secret}
    assert program.message().status_code == 200
    assert program.get("/v1/models").status_code == 200
    other = "X-Api-Key" if header == "Authorization" else "Authorization"
    program.headers[other] = "Bearer sk-ant-another-service"
    assert program.message().status_code == 200


@pytest.mark.parametrize("key", ["", "sk-", "sk-" + "0" * 48, "' OR 1=1 --", "x" * 4000, "Bearer x", "sk-" + "0" * 49])
def test_nothing_else_opens_it(app: Flask, program: Program, key: str) -> None:
    for header in ("X-Api-Key", "Authorization"):
        stranger = Program(app, "")
        stranger.headers = {header: key}
        for response in (stranger.message(), stranger.post(COUNT, {"model": "deepseek-flash", "messages": HELLO})):
            assert (response.status_code, fault(response)["type"]) == (401, "authentication_error")


def test_a_session_does_not_open_it(member_client: PageClient) -> None:
    response = member_client.post("/v1/messages", json={})
    assert (response.status_code, fault(response)["type"]) == (401, "authentication_error")


@pytest.mark.security("scope-by-every-way")
def test_a_model_that_is_not_there_or_not_this_tokens(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    program = Program(app, made(member, models=["deepseek-v4-pro"]).secret)
    response = program.message(model="claude-nothing")
    assert (response.status_code, fault(response)["type"]) == (404, "not_found_error")
    response = program.message()
    assert (response.status_code, fault(response)["type"]) == (403, "permission_error")
    response = program.post(COUNT, {"model": "deepseek-flash", "messages": HELLO})
    assert (response.status_code, fault(response)["type"]) == (403, "permission_error")
    assert upstream.journal.chats == []


def test_what_is_not_there_is_said_in_anthropics_shape(program: Program) -> None:
    for response, status, kind in (
        (program.post("/v1/messages/batches", {}), 404, "not_found_error"),
        (program.get("/v1/messages"), 405, "invalid_request_error"),
        (program.get("/v1/models/claude-nothing", **{"anthropic-version": "2023-06-01"}), 404, "not_found_error"),
    ):
        assert (response.status_code, fault(response)["type"]) == (status, kind)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "status", "kind"),
    [
        (Status(400), 400, "invalid_request_error"),
        (Status(400, "maximum context length is 10 tokens"), 400, "invalid_request_error"),
        (Status(429), 529, "overloaded_error"),
        (Status(500), 502, "api_error"),
        (ErrorEvent(), 502, "api_error"),
    ],
)
def test_what_fails_before_the_first_word_has_a_status(
    program: Program, upstream: ScriptedUpstream, script: Any, status: int, kind: str, stream: bool
) -> None:
    upstream.script(script, always=True)
    response = program.message(stream=stream)
    error = fault(response)
    assert (response.status_code, error["type"]) == (status, kind)
    assert ("Retry-After" in response.headers) == (status == 529)
    assert error["message"].startswith("prompt is too long: ") == ("maximum context" in getattr(script, "message", ""))


def test_what_breaks_off_ends_with_an_error(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(ErrorEvent(after="It began"))
    response = program.message(stream=True)
    assert response.status_code == 200
    *_, last = message_events(response)
    assert (last["type"], last["error"]["type"]) == ("error", "api_error")
    assert last["request_id"] == response.headers["request-id"]
    assert booked().outcome == "interrupted"


def test_silences_are_broken_by_pings(
    program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_app.web.program_replies.HEARTBEAT_SECONDS", 0)
    upstream.script(Stall(before_head=True))
    ended = threading.Event()
    beating = threading.Thread(target=lambda: beat_until(ended))
    beating.start()
    response = program.message(stream=True, buffered=False)
    assert next(iter(response.response)) == b'event: ping\ndata: {"type":"ping"}\n\n'
    response.close()
    ended.set()
    beating.join()


def test_a_prompt_is_counted_without_a_provider(program: Program, upstream: ScriptedUpstream) -> None:
    asked: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
    short = program.post(COUNT, asked).get_json()
    assert set(short) == {"input_tokens"}
    tool = {"name": "weather", "input_schema": {"type": "object", "properties": {}}}
    more = {"system": "Be brief. " * 100, "tools": [tool], "speed": "standard"}
    long = program.post(COUNT, asked | more).get_json()
    assert long["input_tokens"] > short["input_tokens"] + 250
    assert upstream.journal.chats == []
    with reading() as session:
        assert session.scalars(select(Attempt)).all() == []
    told = program.message(stream=True)
    assert message_events(told)[0]["message"]["usage"]["input_tokens"] == short["input_tokens"]


def test_models_are_listed_in_the_shape_that_the_caller_speaks(program: Program) -> None:
    spoken = {"anthropic-version": "2023-06-01"}
    told = program.get("/v1/models", **spoken).get_json()
    assert [(each["type"], each["id"]) for each in told["data"]] == [
        ("model", "deepseek-flash"),
        ("model", "deepseek-v4-pro"),
    ]
    assert (told["has_more"], told["first_id"], told["last_id"]) == (False, "deepseek-flash", "deepseek-v4-pro")
    assert program.get("/v1/models/deepseek-flash", **spoken).get_json() == told["data"][0]
    assert program.get("/v1/models").get_json()["object"] == "list"
