"""What a model has said to a tool, and a tool's schema, come back and go on with numbers that no page would hold."""

import json
from typing import Any

import pytest
from flask import Flask

from flask_app.models import User
from tests.support.gateway import WEATHER, Program, made
from tests.support.scripted_upstream import ScriptedUpstream

SNOWFLAKE = 1234567890123456789


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "string"}
    for _ in range(depth // 2):
        value = {"type": "object", "properties": {"a": value}}
    return value


def with_schema(schema: dict[str, Any]) -> dict[str, Any]:
    tool: dict[str, Any] = json.loads(json.dumps(WEATHER))
    tool["function"]["parameters"] = {"type": "object", "properties": {"a": schema}}
    return tool


@pytest.mark.parametrize("number", [SNOWFLAKE, 2**64 - 1, -(2**63), 1.797e308, 0.1])
def test_a_schema_goes_to_the_provider_as_it_is(program: Program, upstream: ScriptedUpstream, number: float) -> None:
    tool = with_schema({"type": "number", "maximum": number})
    assert program.complete(tools=[tool], seed=SNOWFLAKE).status_code == 200
    body = upstream.journal.last.body
    assert body["tools"] == [tool]
    assert body["seed"] == SNOWFLAKE


def test_a_deep_schema_goes_too(program: Program, upstream: ScriptedUpstream) -> None:
    tool = with_schema(nested(100))
    assert program.complete(tools=[tool]).status_code == 200
    assert upstream.journal.last.body["tools"] == [tool]


def test_what_a_model_has_asked_of_a_tool_comes_back_in_anthropics_way(
    program: Program, upstream: ScriptedUpstream
) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"id": SNOWFLAKE}}
    told = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "It is there."}
    history = [
        {"role": "user", "content": "Look for it."},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [told]},
    ]
    assert program.message(messages=history).status_code == 200
    sent = upstream.journal.last.body["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"id": SNOWFLAKE}


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "18446744073709551616", "-9223372036854775809"])
def test_what_no_reader_holds_is_refused(program: Program, number: str) -> None:
    raw = f'{{"model": "deepseek-flash", "messages": [{{"role": "user", "content": "a"}}], "seed": {number}}}'
    reply = program.send("/v1/chat/completions", raw.encode())
    assert (reply.status_code, reply.get_json()["error"]["code"]) == (400, "malformed_json")
