"""What a request of the Messages API becomes at the provider, and what of it is refused."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_app.models import User
from flask_app.web.long_bodies import WITH_IMAGES
from tests.support.gateway import HELLO, Program, made
from tests.support.scripted_upstream import ScriptedUpstream

TOOL: dict[str, Any] = {
    "name": "weather",
    "description": "Tells it.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CACHED = {"type": "ephemeral"}


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def text(words: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": words} | fields


def image(data: str = "AAAA") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def test_what_is_set_is_translated(program: Program, upstream: ScriptedUpstream) -> None:
    response = program.message(
        max_tokens=50,
        system=[text("Be brief.", cache_control=CACHED), text("x-anthropic-billing-header: cch=1;"), text("Be kind.")],
        stop_sequences=["END"],
        temperature=0.5,
        top_p=0.9,
        top_k=5,
        tools=[
            TOOL | {"cache_control": CACHED, "type": "custom", "strict": True, "input_examples": [{"city": "Rome"}]}
        ],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 1024},
        output_config={"effort": "medium", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        metadata={"user_id": "somebody"},
        service_tier="auto",
        speed="standard",
        diagnostics={"previous_message_id": None},
        cache_control=CACHED,
        context_management={"edits": []},
    )
    assert response.status_code == 200, response.text
    body = upstream.journal.last.body
    assert body.pop("user_id") != "somebody"
    function = {"name": "weather", "description": "Tells it.", "parameters": TOOL["input_schema"], "strict": True}
    assert body == {
        "model": "deepseek-flash",
        "messages": [{"role": "system", "content": "Be brief.\n\nBe kind."}, *HELLO],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 50,
        "stop": ["END"],
        "temperature": 0.5,
        "top_p": 0.9,
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "thinking": {"type": "enabled"},
        "reasoning_effort": "high",
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
    }


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"type": "between_tools"}, {"type": "enabled"}),
        (None, {"type": "disabled"}),
        ({"type": "disabled"}, {"type": "disabled"}),
        ({"type": "adaptive", "display": "summarized"}, {"type": "enabled"}),
    ],
)
def test_thinking_is_what_was_asked_for(program: Program, upstream: ScriptedUpstream, asked: Any, sent: Any) -> None:
    assert program.message(**({"thinking": asked} if asked else {})).status_code == 200
    assert upstream.journal.last.body["thinking"] == sent
    assert "reasoning_effort" not in upstream.journal.last.body


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "weather"}, {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_a_tool_is_chosen(program: Program, upstream: ScriptedUpstream, asked: Any, sent: Any) -> None:
    assert program.message(tools=[TOOL], tool_choice=asked).status_code == 200
    assert upstream.journal.last.body["tool_choice"] == sent
    assert "parallel_tool_calls" not in upstream.journal.last.body


def test_a_conversation_with_tools_and_thoughts_goes_along(program: Program, upstream: ScriptedUpstream) -> None:
    used = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}}
    messages = [
        {"role": "user", "content": [text("How is", cache_control=CACHED), text("the weather?")]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I look.", "signature": "x"},
                {"type": "redacted_thinking", "data": "AAAA"},
                text("Let me see.", citations=None),
                used,
                used | {"id": "call_2", "cache_control": CACHED},
            ],
        },
        {
            "role": "user",
            "content": [
                text("Well?"),
                {"type": "tool_result", "tool_use_id": "call_1", "content": [text("sun"), text("and wind")]},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "no such city", "is_error": True},
            ],
        },
        {"role": "assistant", "content": [used]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1"}]},
        {"role": "system", "content": "Be quick."},
    ]
    assert program.message(messages=messages, tools=[TOOL]).status_code == 200
    called = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
    assert upstream.journal.last.body["messages"] == [
        {"role": "user", "content": "How is\n\nthe weather?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [called, called | {"id": "call_2"}],
            "reasoning_content": "I look.",
        },
        {"role": "tool", "content": "sun\n\nand wind", "tool_call_id": "call_1"},
        {"role": "tool", "content": "Error: no such city", "tool_call_id": "call_2"},
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "content": "", "tool_call_id": "call_1"},
        {"role": "system", "content": "Be quick."},
    ]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"n": 1}, "`n`"),
        ({"container": "c"}, "$.container"),
        ({"mcp_servers": []}, "$.mcp_servers"),
        ({"speed": "fast"}, "$.speed"),
        ({"max_tokens": 0}, "$.max_tokens"),
        ({"max_tokens": None}, "$.max_tokens"),
        ({"temperature": 1.5}, "$.temperature"),
        ({"top_k": -1}, "$.top_k"),
        ({"stop_sequences": ["x"] * 17}, "$.stop_sequences"),
        ({"metadata": {"name": "x"}}, "`name`"),
        ({"thinking": {"type": "often"}}, "$.thinking.type"),
        ({"output_config": {"effort": "much"}}, "$.output_config.effort"),
        ({"service_tier": "best"}, "$.service_tier"),
        ({"cache_control": "always"}, "$.cache_control"),
        ({"system": [{"type": "image"}]}, "$.system[0].type"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "$.tools[0].type"),
        ({"tools": [TOOL | {"name": "what is it?"}]}, "$.tools[0].name"),
        ({"tools": [TOOL | {"output_schema": []}]}, "`output_schema`"),
        ({"tools": [TOOL | {"allowed_callers": ["code_execution_20260120"]}]}, "$.tools[0].allowed_callers[0]"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "any", "name": "weather"}}, "tool_choice.name"),
        ({"messages": []}, "$.messages"),
        ({"messages": [{"role": "oracle", "content": "x"}]}, "$.messages[0].role"),
        ({"messages": [{"role": "user"}]}, "`content`"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "search_result"}]}]}, "$.messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [text("x", colour="red")]}]}, "`colour`"),
        ({"messages": [{"role": "user", "content": [image(data="<svg>")]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [text("x"), {"type": "document"}]}]}, "messages[0].content[1]"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [image()]}]}
                ]
            },
            "messages[0].content[0]",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "thinking", "thinking": "x"}]}]},
            "messages[0].content[0]",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_result", "tool_use_id": "a"}]}, *HELLO]},
            "messages[0].content[0]",
        ),
        ({"messages": [*HELLO, {"role": "assistant", "content": "It be"}]}, "messages[1]"),
    ],
)
def test_what_is_not_taken_is_named(
    program: Program, upstream: ScriptedUpstream, fields: dict[str, Any], named: str
) -> None:
    response = program.message(**fields)
    error = response.get_json()["error"]
    assert (response.status_code, error["type"]) == (400, "invalid_request_error")
    assert named in error["message"]
    assert upstream.journal.chats == []


@pytest.mark.parametrize("field", ["max_tokens", "model", "messages"])
def test_what_is_missing_is_named(program: Program, field: str) -> None:
    body = {"model": "deepseek-flash", "max_tokens": 10, "messages": HELLO}
    del body[field]
    response = program.post("/v1/messages", body)
    assert response.status_code == 400
    assert f"`{field}`" in response.get_json()["error"]["message"]


def test_a_body_that_is_none_is_refused(app: Flask, program: Program) -> None:
    client = app.test_client()
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        for raw, kind in ((b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")):
            response = client.post(path, data=raw, content_type=kind, headers=program.headers)
            assert (response.status_code, response.get_json()["type"]) == (400, "error")
        response = client.post(
            path, data=b" " * (WITH_IMAGES + 1), content_type="application/json", headers=program.headers
        )
        assert (response.status_code, response.get_json()["error"]["type"]) == (413, "request_too_large")


WORDS = st.sampled_from(
    ["", "x", "text", "user", "assistant", "tool", "tool_use", "tool_result", "thinking", "any", "enabled", "weather"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2000) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "name", "input", "id", "content", "role", "schema"]), inner)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("messages", "system", "tools", "tool_choice", "thinking", "output_config", "metadata", "stop_sequences"),
        *("max_tokens", "temperature", "top_k", "stream", "model", "cache_control", "context_management"),
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(FIELDS, ANYTHING, max_size=4), ANYTHING)
def test_no_body_is_a_fault_of_ours(program: Program, fields: dict[str, Any], content: Any) -> None:
    message = {"role": "user", "content": content}
    for body in (fields, {"messages": [message]} | fields, {"messages": [{"role": "assistant", "content": content}]}):
        assert program.message(**body).status_code < 500
        counted = {"model": "deepseek-flash", "messages": HELLO} | body
        assert program.post("/v1/messages/count_tokens", counted).status_code < 500
