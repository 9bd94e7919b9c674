"""Which of its tools a program lets a model call at the moment."""

from typing import Any

import pytest
from flask import Flask

from flask_app.models import User
from tests.support.gateway import WEATHER, Program, made
from tests.support.scripted_upstream import ScriptedUpstream

WEATHER_FLAT: dict[str, Any] = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
TIME_FLAT = WEATHER_FLAT | {"name": "time"}


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def allowed(*names: str, mode: str = "auto") -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": name} for name in names]}


def test_a_completions_choice_is_passed_on(program: Program, upstream: ScriptedUpstream) -> None:
    tools = [{"type": "function", "function": {"name": "weather"}}]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": tools}}
    assert program.complete(tools=[WEATHER], tool_choice=choice).status_code == 200
    assert upstream.journal.last.body["tool_choice"] == choice


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_of_a_responses_tools_a_provider_is_told_those(program: Program, upstream: ScriptedUpstream, mode: str) -> None:
    choice = allowed("time", mode=mode)
    response = program.respond(tools=[WEATHER_FLAT, TIME_FLAT], tool_choice=choice)
    assert response.status_code == 200, response.text
    body = upstream.journal.last.body
    assert [tool["function"]["name"] for tool in body["tools"]] == ["time"]
    assert body["tool_choice"] == mode
    told = response.get_json()
    assert told["tool_choice"] == choice
    assert [tool["name"] for tool in told["tools"]] == ["weather", "time"]


def test_one_of_a_namespace_is_found_by_its_name_alone(program: Program, upstream: ScriptedUpstream) -> None:
    space = {"type": "namespace", "name": "sky", "tools": [WEATHER_FLAT, TIME_FLAT]}
    assert program.respond(tools=[space, TIME_FLAT], tool_choice=allowed("weather", "time")).status_code == 200
    assert [tool["function"]["name"] for tool in upstream.journal.last.body["tools"]] == ["sky__weather", "time"]


def test_where_none_of_them_is_there(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.respond(tools=[TIME_FLAT], tool_choice=allowed("weather")).status_code == 200
    assert not {"tools", "tool_choice"} & upstream.journal.last.body.keys()
    refused = program.respond(tools=[TIME_FLAT], tool_choice=allowed("weather", mode="required"))
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (400, "no_tool_to_choose")


def test_a_refusal_in_parts_is_passed_as_what_was_said(program: Program, upstream: ScriptedUpstream) -> None:
    asked, again = {"role": "user", "content": "Do it."}, {"role": "user", "content": "Why?"}
    said = {"role": "assistant", "content": [{"type": "refusal", "refusal": "I will not."}]}
    assert program.complete(messages=[asked, said, again]).status_code == 200
    passed = {"role": "assistant", "content": [{"type": "text", "text": "I will not."}]}
    assert upstream.journal.last.body["messages"] == [asked, passed, again]
