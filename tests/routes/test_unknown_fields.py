"""Fields that this server does not know: which of them reach the provider, and which are refused by name."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_app.database import reading
from flask_app.models import Attempt, User
from tests.support.gateway import HELLO, WEATHER, Program, made
from tests.support.scripted_upstream import Continued, Embedded, ScriptedUpstream
from tests.support.upstream_completions import COMPLETIONS
from tests.support.upstream_embeddings import EMBEDDINGS

OWN: dict[str, Any] = {
    "min_p": 0.1,
    "logit_bias": {"50256": -100},
    "verbosity": "low",
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h",
    "chat_template_kwargs": {"enable_thinking": False, "thinking": True},
    "reasoning": {"max_tokens": 100},
    "sampling_params": {"min_p": 0.1, "temperature": 0.5, "n": None},
    "structured_outputs": {"json": {"properties": {"user": {"type": "string"}, "n": {"type": "integer"}}}},
    "guided_json": {"properties": {"model": {"type": "string"}}},
    "documents": [{"text": "x", "metadata": {"user": "y"}}],
    "cache_control": {"type": "ephemeral"},
}
IMAGE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
CALL: dict[str, Any] = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def fault(response: TestResponse) -> dict[str, Any]:
    told: dict[str, Any] = response.get_json()["error"]
    return told


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def test_they_reach_the_provider_as_they_are(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.complete(**OWN, min_q=None).status_code == 200
    body = upstream.journal.last.body
    assert {name: body[name] for name in OWN} == OWN
    assert "min_q" not in body


def test_so_do_those_in_messages_parts_and_tools(program: Program, upstream: ScriptedUpstream) -> None:
    cached = {"cache_control": {"type": "ephemeral"}}
    asked = [
        {"role": "user", "content": [{"type": "text", "text": "x"} | cached, IMAGE | cached], "weight": 1},
        {"role": "assistant", "content": "", "tool_calls": [CALL | {"extra_content": {"google": {"x": "y"}}}]},
        {"role": "tool", "content": "sunny", "tool_call_id": "c"},
    ]
    tool: dict[str, Any] = {**WEATHER, **cached, "function": {"name": "weather", "defer": True}}
    assert program.complete(messages=asked, tools=[tool]).status_code == 200
    body = upstream.journal.last.body
    assert (body["messages"], body["tools"]) == (asked, [tool])


def test_so_do_those_of_texts_and_of_embeddings(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Continued(), path=COMPLETIONS)
    upstream.script(Embedded(), path=EMBEDDINGS)
    assert program.go_on(min_p=0.1).status_code == 200
    assert upstream.journal.last.body["min_p"] == 0.1
    assert program.embed(input_type="query").status_code == 200
    assert upstream.journal.last.body["input_type"] == "query"


def test_what_has_no_effect_is_left_out(program: Program, upstream: ScriptedUpstream) -> None:
    fields: dict[str, Any] = {
        "store": False,
        "metadata": {"a": "b"},
        "safety_identifier": "me",
        "service_tier": "auto",
        "user": "me",
    }
    said = {"role": "assistant", "content": "x", "parsed": {"a": 1}}
    call = CALL | {"function": CALL["function"] | {"parsed_arguments": {}}}
    called = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert program.complete(messages=[*HELLO, said, called], **fields).status_code == 200
    body = upstream.journal.last.body
    assert not fields.keys() & body.keys()
    assert body["messages"][1:] == [
        {"role": "assistant", "content": "x"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
    ]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        *(({name: 1}, name) for name in ("background", "user_id", "max_output_tokens", "maxTokens", "Messages")),
        *(({name: {}}, name) for name in ("moderation", "plugins", "search_parameters", "extra_body", "provider")),
        ({"num_return_sequences": 4}, "num_return_sequences"),
        *(({name: "x"}, name) for name in ("speed", "inference_geo", "n_cmpl", "providerOptions", "api_base")),
        *(({name: "x"}, name) for name in ("enable_enhancement", "force_search_enhancement", "user_config")),
        *(({name: "x"}, name) for name in ("context_window_fallback_dict", "mock_response", "lora_path")),
        *(({name: "x"}, name) for name in ("bootstrap_host", "bootstrap_room", "api_key", "base_url")),
        ({"chat_template_kwargs": {"chat_template": "x"}}, "chat_template_kwargs.chat_template"),
        ({"sampling_params": {"n": 4}}, "sampling_params.n"),
        ({"sampling_params": {"a": [{"maxNewTokens": 4}]}}, "sampling_params.a[0].maxNewTokens"),
        ({"vendor": {"own": {"Model": "other"}}}, "vendor.own.Model"),
        ({"messages": [{"role": "user", "content": "x", "images": ["y"]}]}, "messages[0].images"),
        ({"messages": [{"role": "user", "content": "x", "Content": "y"}]}, "messages[0].Content"),
        ({"messages": [{"role": "assistant", "content": "x", "prefix": True}]}, "messages[0].prefix"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "image_url": "y"}]}]},
            "messages[0].content[0].image_url",
        ),
        ({"messages": [{"role": "user", "content": [IMAGE | {"max_pixels": 9}]}]}, "messages[0].content[0].max_pixels"),
        ({"tools": [WEATHER | {"TYPE": "web_search"}]}, "tools[0].TYPE"),
        ({"a": "x" * (1 << 16)}, "a"),
        ({f"a{number}": 1 for number in range(33)}, "a0"),
        ({"messages": [{"role": "user", "content": "x", "a": "x" * (1 << 18)}]}, "messages[0].a"),
    ],
)
def test_what_would_change_what_is_asked_or_billed_is_refused(
    program: Program, upstream: ScriptedUpstream, fields: dict[str, Any], param: str
) -> None:
    response = program.complete(**fields)
    assert (response.status_code, fault(response)["param"]) == (400, param)
    assert fault(response)["code"] in {"field_not_passed", "too_many_unknown_fields"}
    assert upstream.journal.chats == []


def test_how_deep_one_may_be(program: Program) -> None:
    deep: Any = {}
    for _ in range(33):
        deep = {"a": deep}
    assert fault(program.complete(deep=deep))["code"] == "field_not_passed"
    assert program.complete(deep=deep["a"]["a"]).status_code == 200


def test_no_field_of_ours_gives_way(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.complete(stream=False, **OWN).status_code == 200
    body = upstream.journal.last.body
    assert (body["model"], body["stream"], body["stream_options"]) == ("deepseek-flash", True, {"include_usage": True})


def test_they_count_in_what_is_reserved(program: Program, upstream: ScriptedUpstream) -> None:
    """Of an image's part too, which is counted by itself."""
    part = IMAGE | {"note": "y" * 20_000}
    program.complete(messages=[{"role": "user", "content": [IMAGE]}])
    program.complete(messages=[{"role": "user", "content": [part]}], guided_grammar="x" * 20_000)
    with reading() as session:
        small, large = session.scalars(select(Attempt.reserved_tokens).order_by(Attempt.id))
    assert small is not None
    assert large is not None
    assert large - small >= 40_000


def test_another_field_is_another_request_under_a_key(program: Program) -> None:
    program.headers["Idempotency-Key"] = "one"
    assert program.complete(min_p=0.1).status_code == 200
    assert fault(program.complete(min_p=0.2))["code"] == "idempotency_key_reused"
