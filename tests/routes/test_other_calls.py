"""Calls of providers other than an answer's, and images: whatever happens the books agree, and no body is our fault."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_app.models import User
from tests.routes.test_gateway_metering import compare, hurry
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Continued, Embedded, ErrorEvent, Raw, ScriptedUpstream, Stall, Status
from tests.support.upstream_completions import COMPLETIONS
from tests.support.upstream_embeddings import EMBEDDINGS

WRONG: dict[str, Any] = {
    "refused": Status(400),
    "not there": Status(404),
    "fault": Status(500),
    "busy": Status(429),
    "silence": Stall(),
}
TEXTS = WRONG | {
    "success": Continued(),
    "no usage": Continued(tells_usage=False),
    "cut": Continued(breaks=True),
    "error event": ErrorEvent(after="It began"),
    "garbage": Raw(after="It began"),
}
VECTORS = WRONG | {
    "success": Embedded(),
    "no usage": Embedded(tells_usage=False),
    "too few": Embedded(count=0),
    "garbage": Embedded(junk=b"{"),
}


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", TEXTS)
def test_the_books_agree_of_texts(program: Program, upstream: ScriptedUpstream, name: str, stream: bool) -> None:
    if name == "silence":
        hurry()
    upstream.script(TEXTS[name], path=COMPLETIONS)
    program.go_on(stream=stream)
    assert upstream.journal.chats
    compare(upstream)


@pytest.mark.parametrize("name", VECTORS)
def test_the_books_agree_of_vectors(program: Program, upstream: ScriptedUpstream, name: str) -> None:
    if name == "silence":
        hurry()
    upstream.script(VECTORS[name], path=EMBEDDINGS)
    program.embed()
    assert upstream.journal.chats
    compare(upstream)


def test_a_program_that_goes_away_stops_the_text_and_pays_for_what_came(
    program: Program, upstream: ScriptedUpstream
) -> None:
    upstream.script(Continued("word " * 2000, tokens_per_second=100), path=COMPLETIONS)
    response = program.go_on(stream=True, max_tokens=4000, buffered=False)
    next(iter(response.response))
    response.close()
    compare(upstream)
    assert upstream.journal.last.closed_early


WORDS = st.sampled_from(
    ["", "x", "text", "image_url", "data:image/png;base64,AAAA", "https://x.example", "auto", "url"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2000) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "image_url", "url", "detail", "source", "data"]), inner)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("input", "prompt", "suffix", "encoding_format", "dimensions", "stream", "max_tokens", "logprobs", "echo"),
        *("n", "best_of", "stop", "temperature", "model", "user", "stream_options"),
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(FIELDS, ANYTHING, max_size=4), ANYTHING)
def test_no_body_is_a_fault_of_ours(
    program: Program, upstream: ScriptedUpstream, fields: dict[str, Any], anything: Any
) -> None:
    upstream.script(Continued(), path=COMPLETIONS, always=True)
    upstream.script(Embedded(), path=EMBEDDINGS, always=True)
    shown = [{"type": "image_url", "image_url": anything}], [{"type": "image", "source": anything}]
    replies = [
        program.post("/v1/embeddings", {"model": "deepseek-flash", "input": anything} | fields),
        program.post("/v1/completions", {"model": "deepseek-flash", "prompt": anything} | fields),
        program.post("/v1/embeddings", anything),
        program.complete(messages=[{"role": "user", "content": shown[0]}], n=anything),
        program.message(messages=[{"role": "user", "content": shown[1]}]),
        program.respond(input=[{"role": "user", "content": [{"type": "input_image", "image_url": anything}]}]),
    ]
    upstream.forget_scripts()
    assert all(reply.status_code < 500 for reply in replies)
