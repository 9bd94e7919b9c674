"""Tools at the gateway: what goes along with a request, and calls of functions and logprobs in the answer."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, TokenUsage, User
from tests.support.gateway import WEATHER, Program, chunks, made
from tests.support.scripted_upstream import Answer, Raw, ScriptedUpstream, Usage


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def test_messages_with_tools_and_parts_go_along(program: Program, upstream: ScriptedUpstream) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "How is"}, {"type": "text", "text": "the weather?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "I look."},
        {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
    ]
    echoed = [*messages[:2], messages[2] | {"refusal": None, "annotations": [], "audio": None}, messages[3]]
    assert program.complete(messages=echoed, tools=[WEATHER]).status_code == 200
    assert upstream.journal.last.body["messages"] == messages


CALLS = (
    {
        "tool_calls": [
            {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
        ]
    },
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '"Rome"}'}}]},
    {"tool_calls": [{"index": 1, "id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}}]},
)


def test_calls_of_functions_come_whole_and_in_pieces(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(*[Answer("", deltas=CALLS, finish_reason="tool_calls", tells_usage=False)] * 2)
    choice = program.complete(tools=[WEATHER]).get_json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert [(call["id"], call["function"]) for call in choice["message"]["tool_calls"]] == [
        ("call_1", {"name": "weather", "arguments": '{"city":"Rome"}'}),
        ("call_2", {"name": "time", "arguments": "{}"}),
    ]
    with reading() as session:
        assert session.scalars(select(TokenUsage.completion_tokens)).one() > 5, (
            "what the model wrote of a call is counted"
        )
    streamed = chunks(program.complete(tools=[WEATHER], stream=True))
    pieces = [piece for each in streamed for piece in each["choices"][0]["delta"].get("tool_calls", [])]
    assert pieces[0]["id"] == "call_1"
    assert "".join(piece["function"]["arguments"] for piece in pieces if piece["index"] == 0) == '{"city":"Rome"}'
    assert streamed[-1]["choices"][0]["finish_reason"] == "tool_calls"


LIKELY = {"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}


def test_logprobs_come_whole_and_in_pieces(program: Program, upstream: ScriptedUpstream) -> None:
    choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": [LIKELY]}, "finish_reason": "stop"}
    said = b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n", b"data: [DONE]\n\n"
    upstream.script(*[Raw(said)] * 2)
    assert program.complete(logprobs=True).get_json()["choices"][0]["logprobs"]["content"] == [LIKELY]
    streamed = chunks(program.complete(logprobs=True, stream=True))
    likely = [each["choices"][0]["logprobs"]["content"] for each in streamed if each["choices"][0]["logprobs"]]
    assert likely == [[LIKELY]]


@pytest.mark.parametrize("stop", ["END", ["END", "\n\n"]])
@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_is_the_providers_to_heed(
    program: Program, upstream: ScriptedUpstream, stop: str | list[str], stream: bool
) -> None:
    upstream.script(Answer("up to here", usage=Usage(prompt=3, completion=3), finish_reason="stop"))
    response = program.complete(stop=stop, stream=stream)
    assert upstream.journal.last.body["stop"] == stop
    choices = [each["choices"][0] for each in (chunks(response) if stream else [response.get_json()])]
    said = [choice["delta" if stream else "message"].get("content", "") for choice in choices]
    assert ("".join(said), choices[-1]["finish_reason"]) == ("up to here", "stop")
    with reading() as session:
        assert session.scalars(select(TokenUsage.completion_tokens)).one() == 3


SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "description": "城市" * 200}}}
FORMATS = (
    {"type": "json_object"},
    {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}},
)


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_format_is_passed_on_and_a_part_of_the_prompt(
    program: Program, upstream: ScriptedUpstream, wanted: dict[str, Any], stream: bool
) -> None:
    upstream.script(Answer('{"city": "Rome"}', usage=Usage(prompt=40, completion=6)))
    response = program.complete(response_format=wanted, stream=stream, max_tokens=10)
    assert upstream.journal.last.body["response_format"] == wanted
    told = chunks(response) if stream else [response.get_json()]
    parts = [each["choices"][0]["delta" if stream else "message"] for each in told]
    assert json.loads("".join(part.get("content", "") for part in parts)) == {"city": "Rome"}
    with reading() as session:
        entry, attempt = session.scalars(select(TokenUsage)).one(), session.scalars(select(Attempt)).one()
    assert (entry.prompt_tokens, entry.completion_tokens) == (40, 6)
    assert (attempt.reserved_tokens or 0) > len(json.dumps(wanted, ensure_ascii=False).encode())
