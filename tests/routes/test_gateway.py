"""Programs at the gateway: answers in OpenAI's shape, whole and as chunks, on the person's own bill."""

import json
import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, Run, TokenUsage, User
from flask_app.services.gateway import program_answers
from flask_app.services.providers import model_service
from tests.conftest import MakeUser
from tests.support.clients import PageClient
from tests.support.gateway import HELLO, WEATHER, Program, chunks, made, payloads
from tests.support.keys import keep_key, stored_key
from tests.support.scripted_upstream import Answer, ErrorEvent, ScriptedUpstream, Stall, Status, Usage


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def booked() -> TokenUsage:
    """The ledger's only entry."""
    with reading() as session:
        return session.scalars(select(TokenUsage)).one()


def fault(response: Any) -> dict[str, Any]:
    error: dict[str, Any] = response.get_json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    assert error["message"]
    assert response.headers["x-request-id"]
    return error


def test_a_whole_answer_has_openais_shape_and_the_ledgers_count(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hi there", thinking="hm", usage=Usage(prompt=9, cached=4, completion=5, reasoning=1)))
    response = program.complete()
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.get_json()
    assert told["object"] == "chat.completion"
    assert told["id"].startswith("chatcmpl-")
    message = {"role": "assistant", "content": "Hi there", "reasoning_content": "hm"}
    assert told["choices"] == [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
    assert (told["usage"]["total_tokens"], told["usage"]["source"]) == (14, "reported")
    assert told["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}
    assert told["usage"]["completion_tokens_details"] == {"reasoning_tokens": 1}
    entry = booked()
    assert (entry.channel, entry.source, entry.prompt_tokens, entry.completion_tokens) == ("api", "reported", 9, 5)
    assert response.headers["x-request-id"]
    assert "Set-Cookie" not in response.headers


def test_a_stream_is_chunks_and_then_done(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hi there", thinking="hm", actual_model="deepseek-flash-2"))
    response = program.complete(stream=True)
    assert response.mimetype == "text/event-stream"
    found = chunks(response)
    deltas = [each["choices"][0]["delta"] for each in found]
    assert deltas[0]["role"] == "assistant"
    assert not any("role" in delta for delta in deltas[1:])
    assert "".join(delta.get("content", "") for delta in deltas) == "Hi there"
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "hm"
    assert [each["choices"][0]["finish_reason"] for each in found][-1] == "stop"
    assert {each["model"] for each in found} == {"deepseek-flash-2"}
    assert len({each["id"] for each in found}) == 1
    assert not any("usage" in each for each in found)


def test_usage_comes_in_a_stream_only_if_it_is_asked_for(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hi", usage=Usage(prompt=9, completion=2)))
    *words, last = chunks(program.complete(stream=True, stream_options={"include_usage": True}))
    assert last["choices"] == []
    assert (last["usage"]["prompt_tokens"], last["usage"]["total_tokens"]) == (9, 11)
    assert all(each["usage"] is None for each in words)
    assert upstream.journal.last.wants_usage


def test_an_estimate_says_that_it_is_one(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hi there", tells_usage=False))
    told = program.complete().get_json()["usage"]
    assert told["source"] == booked().source == "estimated"
    assert told["completion_tokens"] == booked().completion_tokens > 0


def test_what_the_client_sets_goes_to_the_provider_as_it_is(program: Program, upstream: ScriptedUpstream) -> None:
    options: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 7,
        "frequency_penalty": -1,
        "presence_penalty": 1.5,
        "logprobs": True,
        "top_logprobs": 2,
        "response_format": {"type": "json_object"},
        "tools": [WEATHER],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "reasoning_effort": "high",
        "thinking": {"type": "disabled"},
    }
    assert program.complete(**options, max_tokens=99, max_completion_tokens=50, user="somebody").status_code == 200
    body = upstream.journal.last.body
    assert {name: body[name] for name in options} == options
    assert body["max_tokens"] == 50
    assert body["stream"] is True, "what is metered is always streamed"
    assert {"user", "n", "max_completion_tokens"}.isdisjoint(body)
    assert set(body) - set(options) == {"model", "messages", "stream", "stream_options", "max_tokens", "user_id"}


def test_nothing_is_said_for_the_client_that_it_has_not_said(program: Program, upstream: ScriptedUpstream) -> None:
    program.complete()
    assert set(upstream.journal.last.body) == {
        *("model", "messages", "stream", "stream_options", "max_tokens", "user_id"),
    }


def test_an_answer_that_was_a_refusal_goes_back_as_what_was_said(program: Program, upstream: ScriptedUpstream) -> None:
    said = [{"role": "assistant", "content": None, "refusal": "I won't."}, {"role": "assistant", "content": "But"}]
    assert program.complete(messages=[*HELLO, *said, *HELLO]).status_code == 200
    assert upstream.journal.last.body["messages"][1:3] == [
        {"role": "assistant", "content": "I won't."},
        {"role": "assistant", "content": "But"},
    ]
    refused = program.complete(messages=[{"role": "user", "content": None, "refusal": "no"}])
    assert fault(refused)["param"] == "messages[0].content"


def test_the_developers_role_is_the_systems(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.complete(messages=[{"role": "developer", "content": "Be brief."}, *HELLO]).status_code == 200
    assert upstream.journal.last.body["messages"][0] == {"role": "system", "content": "Be brief."}


@pytest.mark.security("unknown-refused")
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"functions": []}, "functions"),
        ({"store": True}, "store"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"n": 9}, "n"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "oracle", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0].type"),
        ({"tools": [{"type": "code"}]}, "tools[0].type"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"stop": ["x"] * 17}, "stop"),
    ],
)
def test_what_is_not_taken_is_named(
    program: Program, upstream: ScriptedUpstream, fields: dict[str, Any], param: str
) -> None:
    response = program.complete(**fields)
    error = fault(response)
    assert (response.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert upstream.journal.chats == []


def test_a_body_that_is_none_is_refused(app: Flask, program: Program) -> None:
    client = app.test_client()
    for raw, kind in ((b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")):
        response = client.post("/v1/chat/completions", data=raw, content_type=kind, headers=program.headers)
        assert (response.status_code, fault(response)["type"]) == (400, "invalid_request_error")


@pytest.mark.security("unknown-refused")
def test_an_unknown_model_is_not_found(program: Program) -> None:
    response = program.complete(model="gpt-0")
    assert (response.status_code, fault(response)["code"]) == (404, "model_not_found")
    assert program.get("/v1/models/gpt-0").status_code == 404


def test_models_are_listed(program: Program) -> None:
    told = program.get("/v1/models").get_json()
    assert told["object"] == "list"
    assert [(each["id"], each["object"]) for each in told["data"]] == [
        ("deepseek-flash", "model"),
        ("deepseek-v4-pro", "model"),
    ]
    assert program.get("/v1/models/deepseek-flash").get_json() == told["data"][0]


def test_a_token_may_be_kept_to_some_models(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    program = Program(app, made(member, models=["deepseek-v4-pro"]).secret)
    assert [each["id"] for each in program.get("/v1/models").get_json()["data"]] == ["deepseek-v4-pro"]
    assert program.complete(model="deepseek-v4-pro").status_code == 200
    response = program.complete()
    assert (response.status_code, fault(response)["code"]) == (403, "model_not_allowed")
    assert program.get("/v1/models/deepseek-flash").status_code == 403


def test_a_silence_that_is_broken_for_all_answers_is_no_beginning(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Stall(seconds=1, before_head=True), always=True)
    threading.Timer(0.5, program_answers._logs.beat).start()
    response = program.complete(stream=True)
    assert (response.status_code, fault(response)["code"]) == (502, "upstream_unreachable")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (Status(400), 400, "upstream_rejected"),
        (Status(400, "maximum context length is 10 tokens"), 400, "context_length_exceeded"),
        (Status(429), 503, "upstream_busy"),
        (Status(500), 502, "upstream_failed"),
        (ErrorEvent(), 502, "upstream_failed"),
    ],
)
def test_what_fails_before_the_first_word_has_a_status(
    program: Program, upstream: ScriptedUpstream, script: Any, status: int, code: str, stream: bool
) -> None:
    upstream.script(script, always=True)
    response = program.complete(stream=stream)
    assert (response.status_code, fault(response)["code"]) == (status, code)
    assert ("Retry-After" in response.headers) == (status == 503)


def test_what_breaks_off_ends_with_an_error_and_no_done(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(ErrorEvent(after="It began"))
    response = program.complete(stream=True)
    assert response.status_code == 200
    *_, last = payloads(response)
    error = json.loads(last)["error"]
    assert (error["code"], error["type"]) == ("upstream_failed", "server_error")
    assert set(error) == {"message", "type", "code", "param", "request_id"}
    assert error["request_id"] == response.headers["x-request-id"]
    assert booked().outcome == "interrupted"


def test_another_key_answers_before_the_first_word(program: Program, upstream: ScriptedUpstream) -> None:
    model_service.available()
    keep_key(stored_key("environment").provider_id, "second")
    upstream.script(Status(503))
    assert program.complete().status_code == 200
    with reading() as session:
        assert sorted(session.scalars(select(Attempt.state))) == ["released", "settled"]


def test_nothing_of_the_words_is_stored(
    program: Program, upstream: ScriptedUpstream, member_client: PageClient
) -> None:
    upstream.script(Answer("a secret answer"))
    assert program.complete(messages=[{"role": "user", "content": "a secret question"}]).status_code == 200
    assert member_client.get("/api/conversations").get_json()["conversations"] == []
    with reading() as session:
        assert session.scalars(select(Run)).all() == []


def test_a_record_names_the_channel_and_the_token(
    program: Program, upstream: ScriptedUpstream, member_client: PageClient
) -> None:
    program.complete()
    (record,) = member_client.get("/api/usage/records").get_json()["records"]
    assert (record["channel"], record["token_name"]) == ("api", "editor")


def test_two_people_are_never_taken_for_one(
    app: Flask, member: User, make_user: MakeUser, upstream: ScriptedUpstream
) -> None:
    other = make_user("other")
    for person in (member, other, member):
        assert Program(app, made(person).secret).complete().status_code == 200
    with reading() as session:
        assert sorted(session.scalars(select(TokenUsage.user_id))) == sorted([member.id, member.id, other.id])
