"""Whatever is sent to the Responses API, no reply says that it is the server's fault."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_app.models import User
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import ScriptedUpstream

CALLED = {"type": "function_call", "call_id": "call_1", "name": "weather"}
WORDS = st.sampled_from(
    [
        *(
            "",
            "x",
            "message",
            "user",
            "assistant",
            "input_text",
            "output_text",
            "function",
            "function_call",
            "namespace",
        ),
        *("function_call_output", "reasoning", "json_schema", "weather", "auto", "web_search"),
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2000) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("type", "text", "name", "role", "content", "output", "arguments", "call_id", "tools", "summary"),
                    *("format", "effort", "schema", "namespace"),
                ]
            ),
            inner,
        )
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("input", "instructions", "tools", "tool_choice", "text", "reasoning", "metadata", "include", "store"),
        *("max_output_tokens", "temperature", "stream", "model", "previous_response_id", "conversation", "prompt"),
    ]
)


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(FIELDS, ANYTHING, max_size=4), ANYTHING)
def test_no_body_is_a_fault_of_ours(program: Program, fields: dict[str, Any], content: Any) -> None:
    items = [content, {"role": "user", "content": content}, {"type": "reasoning", "content": content}]
    items += [CALLED | {"arguments": content}, {"type": "function_call_output", "call_id": "a", "output": content}]
    for body in (fields, {"input": content}, *({"input": [item]} | fields for item in items)):
        assert program.respond(**body).status_code < 500
