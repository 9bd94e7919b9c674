"""Several answers at once (`n`): passed on, told apart, and one count of them all."""

import dataclasses
import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config
from flask_app.database import reading
from flask_app.domain.serving import BUNDLED_NAME
from flask_app.models import Attempt, TokenUsage, User
from tests.support.clients import PageClient
from tests.support.gateway import Program, chunks, made, payloads
from tests.support.limits import limit
from tests.support.requests import only
from tests.support.scripted_upstream import Answer, Raw, ScriptedUpstream, Usage

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
LIKELY = {"token": "yes", "logprob": -0.1, "bytes": None, "top_logprobs": []}
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def piece(index: int, delta: dict[str, Any], **fields: Any) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": None} | fields
    return said({"model": "flash-2", "choices": [choice]})


def said(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


# As providers write them: mixed, several in one chunk, the third of another kind.
SEVERAL = Raw(
    (
        piece(0, {"role": "assistant", "content": "Yes"}) + piece(1, {"content": "No", "reasoning_content": "hm"}),
        said({"choices": [{"index": 1, "delta": {"content": "pe"}}, {"index": 0, "delta": {"content": "."}}]}),
        piece(2, {"tool_calls": [CALL]}) + piece(0, {}, logprobs={"content": [LIKELY]}),
        piece(1, {}, finish_reason="length") + piece(0, {}, finish_reason="stop"),
        piece(2, {}, finish_reason="tool_calls") + piece(7, {"content": "nobody asked"}),
        said({"choices": [], "usage": USAGE}) + b"data: [DONE]\n\n",
    )
)


def test_whole_answers_have_their_numbers(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(SEVERAL)
    response = program.complete(n=3, max_tokens=100)
    assert response.status_code == 200, response.text
    told = response.get_json()
    assert upstream.journal.last.body["n"] == 3
    assert upstream.journal.last.body["max_tokens"] == 100, "of each"
    first, second, third = told["choices"]
    assert [each["index"] for each in told["choices"]] == [0, 1, 2]
    assert [each["finish_reason"] for each in told["choices"]] == ["stop", "length", "tool_calls"]
    assert first["message"] == {"role": "assistant", "content": "Yes."}
    assert first["logprobs"]["content"] == [LIKELY]
    assert second["message"] == {"role": "assistant", "content": "Nope", "reasoning_content": "hm"}
    assert third["message"]["tool_calls"][0]["function"]["name"] == "look"
    assert (told["model"], told["usage"]["total_tokens"]) == ("flash-2", 21)


def test_chunks_have_their_numbers(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(SEVERAL)
    *found, counted = chunks(program.complete(n=3, stream=True, stream_options={"include_usage": True}))
    choices = [each["choices"][0] for each in found]
    texts = ["".join(each["delta"].get("content", "") for each in choices if each["index"] == n) for n in range(3)]
    assert texts == ["Yes.", "Nope", ""]
    assert [each["index"] for each in choices if "role" in each["delta"]] == [0, 1, 2], "each begins once"
    assert {each["index"]: each["finish_reason"] for each in choices if each["finish_reason"]} == {
        0: "stop",
        1: "length",
        2: "tool_calls",
    }
    assert "nobody asked" not in json.dumps(found)
    assert (counted["choices"], counted["usage"]["completion_tokens"]) == ([], 12)
    assert len({each["id"] for each in found}) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_they_are_one_entry_of_the_ledger_and_reserve_for_all(
    program: Program, upstream: ScriptedUpstream, stream: bool
) -> None:
    upstream.script(SEVERAL)
    program.complete(n=3, max_tokens=1000, stream=stream)
    with reading() as session:
        entry, attempt = session.scalars(select(TokenUsage)).one(), session.scalars(select(Attempt)).one()
    assert (entry.source, entry.prompt_tokens, entry.completion_tokens) == ("reported", 9, 12)
    assert (attempt.max_tokens, entry.actual_model) == (3000, "flash-2")
    assert (attempt.reserved_tokens or 0) > 3000
    assert only().first_token_ms is not None


def test_what_no_provider_counts_is_estimated_of_all(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Raw((piece(0, {"content": "a" * 100}), piece(1, {"content": "b" * 100}, finish_reason="stop"))))
    upstream.script(Raw((piece(0, {"content": "a" * 100}, finish_reason="stop") + b"data: [DONE]\n\n",)))
    program.complete(n=2)
    program.complete(n=1)
    with reading() as session:
        both, one = session.scalars(select(TokenUsage.completion_tokens).order_by(TokenUsage.id))
    assert both == 2 * one


def test_each_is_shortened_to_what_a_budget_has_room_for(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(SEVERAL)
    limit(2000)
    assert program.complete(n=2, max_tokens=5000).status_code == 200
    most = upstream.journal.last.body["max_tokens"]
    assert 128 <= most < 1000, "all of them together have what is left"


def test_a_provider_that_knows_no_several_answers_with_one(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(*[Answer("Just me", usage=Usage(prompt=3, completion=2))] * 2)
    assert [each["message"]["content"] for each in program.complete(n=2).get_json()["choices"]] == ["Just me"]
    found = chunks(program.complete(n=2, stream=True))
    assert {each["choices"][0]["index"] for each in found} == {0}
    assert found[-1]["choices"][0]["finish_reason"] == "stop"


def test_what_breaks_off_breaks_off_for_all(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(*[Raw((piece(0, {"content": "It began"}), b"data: {not json\n\n"))] * 2)
    assert program.complete(n=2).status_code == 502
    *_, last = payloads(program.complete(n=2, stream=True))
    assert '"code":"upstream_garbage"' in last


@pytest.mark.parametrize("stream", [False, True])
def test_of_answers_that_nobody_asked_for_the_first_is_given_and_all_are_booked(
    program: Program, member_client: PageClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    upstream.script(SEVERAL)
    upstream.script(SEVERAL)
    response = program.complete(stream=stream)
    if stream:
        words = "".join(each["delta"].get("content") or "" for one in chunks(response) for each in one["choices"])
        ends = {each["finish_reason"] for one in chunks(response) for each in one["choices"]}
        assert (words, ends) == ("Yes.", {None, "stop"})
    else:
        (choice,) = response.get_json()["choices"]
        assert choice["message"] == {"role": "assistant", "content": "Yes."}
        assert response.get_json()["usage"]["total_tokens"] == 21
    reply = member_client.post("/api/chat", json={"message": "hello"}, headers={"Accept": "application/json"})
    assert reply.get_json()["text"] == "Yes."
    with reading() as session:
        entries = session.scalars(select(TokenUsage)).all()
    assert [(entry.completion_tokens, entry.source) for entry in entries] == [(12, "reported")] * 2


def test_one_that_asks_for_one_asks_for_no_number(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.complete(n=1).status_code == 200
    assert "n" not in upstream.journal.last.body


@pytest.mark.parametrize("n", [0, -1, 9, 1.5, "2"])
def test_how_many_is_bounded(program: Program, upstream: ScriptedUpstream, n: Any) -> None:
    response = program.complete(n=n)
    assert (response.status_code, response.get_json()["error"]["param"]) == (400, "n")
    assert upstream.journal.chats == []


def test_their_words_are_kept_one_after_the_other(
    app: Flask, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    token = made(member)
    assert member_client.put(f"/api/tokens/{token.token.id}/words", json={"hours": 1}).status_code == 200
    upstream.script(SEVERAL)
    Program(app, token.secret).complete(n=3)
    words = member_client.get(f"/api/requests/{only().id}/words").get_json()
    assert (words["text"], words["reasoning"], words["calls"]) == ("Yes.\n\nNope", "hm", "look{}")


STOPPED = piece(0, {}, finish_reason="stop")
BROKEN = {"insufficient_system_resource": "upstream_overloaded", None: "upstream_cut"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reason", BROKEN)
@pytest.mark.parametrize("is_last", [False, True])
def test_one_that_has_no_end_breaks_off_all(
    program: Program, upstream: ScriptedUpstream, stream: bool, reason: str | None, is_last: bool
) -> None:
    """It would be given as whole: whoever reads it cannot know."""
    ends = [STOPPED, piece(1, {}, finish_reason=reason)]
    upstream.script(
        Raw((piece(0, {"content": "Yes"}), piece(1, {"content": "N"}), *(ends if is_last else ends[::-1]), DONE))
    )
    response = program.complete(n=2, stream=stream)
    told = response.get_json() if not stream else json.loads(payloads(response)[-1])
    assert told["error"]["code"] == BROKEN[reason]
    with reading() as session:
        assert session.scalars(select(TokenUsage.outcome)).one() == "interrupted"


@pytest.mark.parametrize("stream", [False, True])
def test_those_that_are_cut_together_have_become_too_long(
    program: Program, upstream: ScriptedUpstream, stream: bool
) -> None:
    endless = piece(1, {"content": "word " * 5_000})
    upstream.script(Raw((piece(0, {"content": "Yes"}), STOPPED, *[endless] * 20)))
    response = program.complete(n=2, max_tokens=50, stream=stream)
    choices = [each for one in (chunks(response) if stream else [response.get_json()]) for each in one["choices"]]
    assert {each["index"]: each["finish_reason"] for each in choices if each["finish_reason"]} == {
        0: "stop",
        1: "length",
    }


@pytest.mark.parametrize("ended", [1, 2])
def test_all_of_them_must_have_ended_where_the_line_breaks(
    program: Program, upstream: ScriptedUpstream, ended: int
) -> None:
    ends = [piece(index, {}, finish_reason="stop") for index in range(ended)]
    upstream.script(Raw((piece(0, {"content": "Yes"}), piece(7, {"content": "x"}), *ends), resets=True))
    response = program.complete(n=2)
    assert (response.status_code == 200) == (ended == 2)


def test_a_refusal_is_told_as_one(program: Program, upstream: ScriptedUpstream) -> None:
    refused = piece(0, {"refusal": "I "}), piece(0, {"refusal": "won't."}) + STOPPED, DONE
    upstream.script(*[Raw(refused)] * 4)
    for n in (1, 2):
        (choice,) = program.complete(n=n).get_json()["choices"]
        assert choice["message"] == {"role": "assistant", "content": None, "refusal": "I won't."}
        deltas = [each["choices"][0]["delta"] for each in chunks(program.complete(n=n, stream=True))]
        assert "".join(delta.get("refusal", "") for delta in deltas) == "I won't."
        assert not any("content" in delta for delta in deltas)
    with reading() as session:
        assert all(tokens > 2 for tokens in session.scalars(select(TokenUsage.completion_tokens)))


@pytest.mark.parametrize("stream", [False, True])
def test_the_model_of_this_machine_gives_one(program: Program, stream: bool) -> None:
    """llama.cpp counts one of several."""
    config.install(dataclasses.replace(config.current(), deepseek_api_key=None))
    refused = program.complete(model=BUNDLED_NAME, n=2, stream=stream)
    assert refused.status_code == 400
    error = refused.get_json()["error"]
    assert (error["code"], error["param"]) == ("one_choice_only", "n")
    with reading() as session:
        assert session.scalars(select(Attempt)).all() == []
