"""A program's stream says what was used if the program has asked, and else not a word: whatever the provider sends."""

import json
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from flask_app.database import transaction
from flask_app.models import ApiKey, User
from tests.support import scripted_upstream, upstream_completions
from tests.support.gateway import Program, made, payloads
from tests.support.scripted_upstream import Raw, ScriptedUpstream

COUNTS = st.integers(-3, 10**6) | st.none() | st.sampled_from(["12", 1.5, [], {}])
NAMES = ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_cache_hit_tokens", "prompt_tokens_details")
USAGE = st.none() | st.just("many") | st.dictionaries(st.sampled_from(NAMES), COUNTS)
# What stands in a chunk: a word or none, whether it ends, and what is said of usage, where anything is.
CHUNKS = st.lists(
    st.tuples(st.none() | st.sampled_from(["a", " word", ""]), st.booleans(), st.lists(USAGE, max_size=1))
)
ENDS = st.sampled_from([b"data: [DONE]\n\n", b"", b"data: {not json\n\n"])
ASKED = {"include_usage": True}
NOT_ASKED: tuple[dict[str, bool] | None, ...] = (None, {}, {"include_usage": False})


def event(word: str | None, is_last: bool, usage: list[Any], *, is_text: bool) -> bytes:
    said = {"text": word} if is_text else {"delta": {"content": word}}
    choices = [] if word is None else [{"index": 0, "finish_reason": "stop" if is_last else None} | said]
    chunk: dict[str, Any] = {"choices": choices} | dict.fromkeys(["usage"][: len(usage)], next(iter(usage), None))
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


@pytest.mark.parametrize("call", ["chat", "several", "text"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sent=CHUNKS, end=ENDS, wish=st.sampled_from(NOT_ASKED) | st.just(ASKED))
def test_a_program_hears_of_usage_if_and_only_if_it_asked(
    program: Program, upstream: ScriptedUpstream, call: str, sent: list[Any], end: bytes, wish: dict[str, bool] | None
) -> None:
    is_text = call == "text"
    upstream.forget_scripts()
    parts = (*(event(*each, is_text=is_text) for each in [("It", False, []), *sent]), end)
    with transaction() as session:  # what broke off before leaves no key at rest
        session.execute(update(ApiKey).values(benched_until=None, probe_until=None))
    upstream.script(*[Raw(parts)] * 3, path=upstream_completions.COMPLETIONS if is_text else scripted_upstream.CHAT)
    fields: dict[str, Any] = {"stream": True} | ({} if wish is None else {"stream_options": wish})
    if call == "several":
        fields["n"] = 2
    response = program.go_on(**fields) if is_text else program.complete(**fields)
    assert response.status_code == 200, response.text
    told = payloads(response)
    ended = told[-1:] == ["[DONE]"]
    chunks = [each for each in map(json.loads, told[: -1 if ended else None]) if "error" not in each]
    if wish is not ASKED:
        assert [each for each in chunks if "usage" in each] == []
        return
    assert [each for each in chunks if "usage" not in each] == []
    counted = [each for each in chunks if each["usage"] is not None]
    assert counted == (chunks[-1:] if ended else []), "the last one, of an answer that came to its end"
    for each in counted:
        used = each["usage"]
        assert each["choices"] == []
        assert used["prompt_tokens"] + used["completion_tokens"] == used["total_tokens"]
        assert 0 <= used["prompt_tokens_details"]["cached_tokens"] <= used["prompt_tokens"]
