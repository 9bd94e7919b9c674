"""What is asked by OpenAI's Responses API, and what a provider of chat completions is asked for it."""

from typing import Any

import pytest
from flask import Flask

from flask_app.models import User
from flask_app.services.providers import model_service
from flask_app.web.long_bodies import WITH_IMAGES
from tests.support.gateway import HELLO, Program, made
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

TOOL = {
    "type": "function",
    "name": "weather",
    "description": "Tells it.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": True,
}
CALLED = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Rome"}'}


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def text(words: str, kind: str = "input_text") -> dict[str, Any]:
    return {"type": kind, "text": words}


def user(*content: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(content)}]


def test_what_is_set_is_translated(program: Program, upstream: ScriptedUpstream) -> None:
    schema = {"type": "object", "properties": {}}
    response = program.respond(
        instructions="Be brief.",
        max_output_tokens=50,
        temperature=0.5,
        top_p=0.9,
        tools=[TOOL | {"defer_loading": False}],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
        text={
            "format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True},
            "verbosity": "low",
        },
        reasoning={"effort": "medium", "summary": "auto", "mode": "standard"},
        include=["reasoning.encrypted_content"],
        metadata={"a": "b"},
        user="somebody",
        safety_identifier="somebody",
        prompt_cache_key="somewhere",
        prompt_cache_retention="24h",
        client_metadata={"session": "x"},
        truncation="auto",
        service_tier="priority",
        stream_options={"include_obfuscation": False},
        top_logprobs=0,
        store=False,
        background=False,
        previous_response_id=None,
        conversation=None,
        prompt=None,
    )
    assert response.status_code == 200, response.text
    body = upstream.journal.last.body
    assert body.pop("user_id") != "somebody"
    function = {name: value for name, value in TOOL.items() if name != "type"}
    assert body == {
        "model": "deepseek-flash",
        "messages": [{"role": "system", "content": "Be brief."}, *HELLO],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "thinking": {"type": "enabled"},
        "reasoning_effort": "high",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema, "strict": True},
        },
    }


def test_nothing_is_said_for_the_client_that_it_has_not_said(program: Program, upstream: ScriptedUpstream) -> None:
    """A provider refuses a choice of tools where there are none."""
    searching = {"type": "web_search", "external_web_access": True}
    assert program.respond(tools=[searching], tool_choice="auto", parallel_tool_calls=True).status_code == 200
    body = upstream.journal.last.body
    assert set(body) == {"model", "messages", "stream", "stream_options", "max_tokens", "user_id"}
    assert body["messages"] == HELLO


@pytest.mark.parametrize(
    ("asked", "thinking", "effort"),
    [
        (None, None, None),
        ("none", "disabled", None),
        ("minimal", "enabled", "low"),
        ("high", "enabled", "high"),
        ("ultra", "enabled", "max"),
    ],
)
def test_effort_is_told_in_the_models_own_words(
    program: Program, upstream: ScriptedUpstream, asked: str | None, thinking: str | None, effort: str | None
) -> None:
    assert program.respond(reasoning={"effort": asked}).status_code == 200
    body = upstream.journal.last.body
    assert body.get("thinking") == (thinking and {"type": thinking})
    assert body.get("reasoning_effort") == effort


def test_effort_is_told_as_it_is_where_the_models_words_are_not_known(
    program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "models", ["else"])
    model_service.available()
    keep_key(keep_provider("Elsewhere", upstream.base_url.replace("127.0.0.1", "localhost"), models=["else"]), "a key")
    assert program.respond(model="else", reasoning={"effort": "xhigh"}).status_code == 200
    body = upstream.journal.last.body
    assert (body["model"], body["reasoning_effort"]) == ("else", "xhigh")
    assert "thinking" not in body


@pytest.mark.parametrize("choice", ["none", "auto", "required"])
def test_a_tool_is_chosen(program: Program, upstream: ScriptedUpstream, choice: str) -> None:
    assert program.respond(tools=[TOOL], tool_choice=choice).status_code == 200
    assert upstream.journal.last.body["tool_choice"] == choice


@pytest.mark.parametrize(
    ("spaces", "chosen"), [(["sky"], 0), (["n" * 64], 0), (["sky", None], 1), ([None, "sky"], 0), (["a", "b"], 0)]
)
def test_a_function_is_chosen_by_the_name_that_the_provider_knows(
    program: Program, upstream: ScriptedUpstream, spaces: list[str | None], chosen: int
) -> None:
    """A namespace is nothing to a provider."""
    tools = [{"type": "namespace", "name": space, "tools": [TOOL]} if space else TOOL for space in spaces]
    choice = {"type": "function", "name": TOOL["name"]}
    assert program.respond(tools=tools, tool_choice=choice).status_code == 200
    body = upstream.journal.last.body
    assert body["tool_choice"]["function"]["name"] == body["tools"][chosen]["function"]["name"]


def test_one_that_is_not_there_its_provider_refuses(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.respond(tools=[TOOL], tool_choice={"type": "function", "name": "other"}).status_code == 200
    assert upstream.journal.last.body["tool_choice"]["function"]["name"] == "other"


def test_a_function_of_a_long_namespace_is_found_again(program: Program, upstream: ScriptedUpstream) -> None:
    space = {"type": "namespace", "name": "n" * 40, "tools": [TOOL | {"name": "f" * 40}, TOOL | {"name": "f" * 41}]}
    called = CALLED | {"namespace": "n" * 40, "name": "f" * 40}
    assert program.respond(tools=[space], input=[called]).status_code == 200
    body = upstream.journal.last.body
    names = [tool["function"]["name"] for tool in body["tools"]]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names), "as providers want them"
    assert body["messages"][0]["tool_calls"][0]["function"]["name"] == names[0]


def test_a_conversation_with_tools_and_thoughts_goes_along(program: Program, upstream: ScriptedUpstream) -> None:
    items = [
        {"type": "message", "id": "msg_1", "role": "developer", "content": [text("Be kind.")]},
        *user(text("How is"), text("the weather?")),
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [text("I look.", "reasoning_text")]},
        {"type": "reasoning", "id": "rs_2", "summary": [text("In Rome.", "summary_text")], "encrypted_content": "A"},
        {
            "type": "message",
            "id": "msg_2",
            "role": "assistant",
            "status": "completed",
            "content": [text("Let me see.", "output_text") | {"annotations": [], "logprobs": []}],
        },
        CALLED | {"id": "fc_1", "status": "completed"},
        CALLED | {"call_id": "call_2"},
        {"type": "function_call_output", "call_id": "call_1", "output": "sun"},
        {"type": "function_call_output", "call_id": "call_2", "output": [text("no"), text("wind")]},
        {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": "AAAA"},
        CALLED,
        {"type": "function_call_output", "call_id": "call_1", "output": ""},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": "Well?"},
        {"type": "reasoning", "id": "rs_4", "summary": [], "content": [text("Alone.", "reasoning_text")]},
    ]
    assert program.respond(input=items, tools=[TOOL]).status_code == 200
    called = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
    assert upstream.journal.last.body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "How is\n\nthe weather?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [called, called | {"id": "call_2"}],
            "reasoning_content": "I look.\n\nIn Rome.",
        },
        {"role": "tool", "content": "sun", "tool_call_id": "call_1"},
        {"role": "tool", "content": "no\n\nwind", "tool_call_id": "call_2"},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "content": "", "tool_call_id": "call_1"},
        {"role": "assistant", "content": "No."},
        {"role": "user", "content": "Well?"},
    ]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"n": 1}, "n"),
        ({"messages": HELLO}, "messages"),
        ({"max_tool_calls": 1}, "max_tool_calls"),
        ({"store": True}, "store"),
        ({"background": True}, "background"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": 2.5}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_logprobs": 1}, "top_logprobs"),
        ({"include": ["message.output_text.logprobs"]}, "include[0]"),
        ({"reasoning": {"effort": "much"}}, "reasoning.effort"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"metadata": {"a": 1}}, "metadata[...]"),
        ({"truncation": "often"}, "truncation"),
        ({"service_tier": "best"}, "service_tier"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"tools": [{"type": "file_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function", "function": {"name": "weather"}}]}, "tools[0].function"),
        ({"tools": [TOOL | {"name": "what is it?"}]}, "tools[0].name"),
        ({"tools": [{"type": "namespace", "name": "n", "tools": [TOOL] * 70}] * 2}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "weather"}}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}}, "tool_choice.tools"),
        ({"input": []}, "input"),
        ({"input": [3]}, "input[0]"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "oracle", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": "x", "colour": "red"}]}, "input[0].colour"),
        ({"input": [*HELLO, {"type": "item_reference", "id": "msg_1"}]}, "input[1].type"),
        ({"input": user(text("x", "text"))}, "input[0].content[0].type"),
        ({"input": user(text("x"), {"type": "input_image", "image_url": "data:,"})}, "input[0].content[1]"),
        ({"input": user({"type": "input_file", "file_id": "x"})}, "input[0].content[0]"),
        (
            {"input": [{"type": "function_call_output", "call_id": "a", "output": [{"type": "input_image"}]}]},
            "input[0].output[0]",
        ),
    ],
)
def test_what_is_not_taken_is_named(
    program: Program, upstream: ScriptedUpstream, fields: dict[str, Any], named: str
) -> None:
    response = program.respond(**fields)
    error = response.get_json()["error"]
    assert (response.status_code, error["type"], error["param"]) == (400, "invalid_request_error", named)
    assert named.rpartition(".")[2] in error["message"]
    assert upstream.journal.chats == []


@pytest.mark.parametrize("field", ["model", "input"])
def test_what_is_missing_is_named(program: Program, field: str) -> None:
    body = {"model": "deepseek-flash", "input": "hello"}
    del body[field]
    response = program.post("/v1/responses", body)
    assert (response.status_code, response.get_json()["error"]["param"]) == (400, field)


def test_a_body_that_is_none_is_refused(app: Flask, program: Program) -> None:
    client = app.test_client()
    for raw, kind in ((b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")):
        response = client.post("/v1/responses", data=raw, content_type=kind, headers=program.headers)
        assert response.status_code == 400
        assert response.get_json()["error"]["type"] == "invalid_request_error"
    raw = b" " * (WITH_IMAGES + 1)
    response = client.post("/v1/responses", data=raw, content_type="application/json", headers=program.headers)
    assert (response.status_code, response.get_json()["error"]["code"]) == (413, "too_large")
