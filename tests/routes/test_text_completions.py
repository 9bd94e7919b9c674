"""Texts that programs have gone on with: by the provider's own call, on the person's own bill."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, ProgramRequest, TokenUsage, User
from flask_app.services.gateway import request_log
from flask_app.services.runs import run_service
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.gateway import Program, chunks, made, payloads
from tests.support.limits import limit
from tests.support.scripted_upstream import Continued, ErrorEvent, Raw, ScriptedUpstream, Status
from tests.support.upstream_completions import COMPLETIONS


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


@pytest.fixture
def writing(upstream: ScriptedUpstream) -> ScriptedUpstream:
    """A provider that goes on with texts."""
    upstream.script(Continued(), path=COMPLETIONS, always=True)
    return upstream


def rows(kind: type[Any]) -> list[Any]:
    with reading() as session:
        return list(session.scalars(select(kind)))


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


def test_a_text_is_gone_on_with_and_booked(program: Program, writing: ScriptedUpstream) -> None:
    response = program.go_on(suffix="print(add(1, 2))", max_tokens=64)
    assert response.status_code == 200, response.text
    told = response.get_json()
    assert (told["object"], told["id"][:5], told["model"]) == ("text_completion", "cmpl-", "deepseek-flash")
    assert told["choices"] == [{"text": "return a + b", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    usage = told["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["source"]) == (6, 4, "reported")
    asked = writing.journal.last
    assert asked.beta, "DeepSeek has it under /beta"
    assert asked.body == {
        "model": "deepseek-flash",
        "prompt": "def add(a, b):",
        "suffix": "print(add(1, 2))",
        "max_tokens": 64,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    (entry,) = rows(TokenUsage)
    assert (entry.channel, entry.source, entry.prompt_tokens, entry.completion_tokens) == ("api", "reported", 6, 4)
    (attempt,) = rows(Attempt)
    assert (attempt.state, attempt.max_tokens) == ("settled", 64)
    assert attempt.reserved_tokens >= 64 + len("def add(a, b):print(add(1, 2))")
    request_log.write()
    (row,) = rows(ProgramRequest)
    assert (row.call, row.status, row.attempt_id) == ("completions", 200, attempt.id)
    assert row.first_token_ms is not None


def test_what_the_client_sets_goes_to_the_provider_as_it_is(program: Program, writing: ScriptedUpstream) -> None:
    options: dict[str, Any] = {
        "temperature": 0.2,
        "top_p": 0.9,
        "frequency_penalty": -1,
        "presence_penalty": 1,
        "stop": ["\n\n"],
        "seed": 7,
        "logprobs": 2,
    }
    assert program.go_on(**options, prompt=["def f():"], echo=False, n=1, best_of=1, user="me").status_code == 200
    body = writing.journal.last.body
    assert {name: body[name] for name in options} == options
    assert set(body) - set(options) == {"model", "prompt", "max_tokens", "stream", "stream_options"}
    assert (body["prompt"], body["max_tokens"]) == ("def f():", 16)


def test_a_stream_is_chunks_and_then_done(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Continued(actual_model="deepseek-flash-2"), path=COMPLETIONS)
    response = program.go_on(stream=True, stream_options={"include_usage": True})
    assert response.mimetype == "text/event-stream"
    *words, end, counted = chunks(response)
    assert "".join(each["choices"][0]["text"] for each in words) == "return a + b"
    assert {each["object"] for each in words} == {"text_completion"}
    assert {each["model"] for each in words} == {"deepseek-flash-2"}
    assert all(each["usage"] is None for each in words)
    assert (end["choices"][0]["text"], end["choices"][0]["finish_reason"]) == ("", "stop")
    assert (counted["choices"], counted["usage"]["total_tokens"]) == ([], 10)


def test_usage_comes_in_a_stream_only_if_it_is_asked_for(program: Program, writing: ScriptedUpstream) -> None:
    assert not any("usage" in each for each in chunks(program.go_on(stream=True)))
    assert rows(TokenUsage)[0].completion_tokens == 4


def test_how_likely_tokens_were_comes_as_the_provider_wrote_it(program: Program, writing: ScriptedUpstream) -> None:
    told = program.go_on(logprobs=1).get_json()["choices"][0]["logprobs"]
    assert "".join(told["tokens"]) == "return a + b"
    assert set(told) == {"tokens", "token_logprobs", "top_logprobs", "text_offset"}
    assert len({len(each) for each in told.values()}) == 1
    streamed = [each["choices"][0]["logprobs"] for each in chunks(program.go_on(stream=True, logprobs=1))]
    assert "".join("".join(table["tokens"]) for table in streamed if table) == "return a + b"


def test_where_no_provider_can_it_is_said_so_and_costs_nothing(program: Program, upstream: ScriptedUpstream) -> None:
    for stream in (False, True):
        upstream.script(Status(404), path=COMPLETIONS)
        assert code(program.go_on(stream=stream)) == (404, "completions_not_offered")
    assert rows(TokenUsage) == []
    assert {attempt.state for attempt in rows(Attempt)} == {"released"}


def test_a_text_that_broke_off_is_booked_and_fails(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Continued(breaks=True), Continued(breaks=True), path=COMPLETIONS)
    assert code(program.go_on()) == (502, "upstream_cut")
    assert '"code":"upstream_cut"' in payloads(program.go_on(stream=True))[-1]
    assert [(entry.source, entry.outcome) for entry in rows(TokenUsage)] == [("estimated", "interrupted")] * 2


def test_a_failure_inside_the_stream_is_one(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(ErrorEvent(after=""), ErrorEvent(after=""), path=COMPLETIONS)
    assert program.go_on().status_code == 502


def test_what_no_provider_counts_is_an_estimate(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Continued(tells_usage=False), path=COMPLETIONS)
    assert program.go_on().get_json()["usage"]["source"] == "estimated"
    assert rows(TokenUsage)[0].completion_tokens > 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt[0]"),
        ({"echo": True}, "echo"),
        ({"n": 2}, "n"),
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 21}, "logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
    ],
)
def test_what_is_not_taken_is_named(program: Program, writing: ScriptedUpstream, fields: Any, param: str) -> None:
    response = program.go_on(**fields)
    assert response.status_code == 400
    assert response.get_json()["error"]["param"] == param
    assert writing.journal.chats == []


def test_budgets_and_tokens_hold(app: Flask, program: Program, member: User, writing: ScriptedUpstream) -> None:
    assert code(program.go_on(model="gpt-0")) == (404, "model_not_found")
    kept = Program(app, made(member, models=["deepseek-v4-pro"]).secret)
    assert code(kept.go_on()) == (403, "model_not_allowed")
    assert Program(app, "sk-" + "0" * 48).go_on().status_code == 401
    limit(1000)
    assert program.go_on().headers["x-ratelimit-remaining-tokens"] == "990"
    assert code(program.go_on(prompt="x" * 2000)) == (429, "insufficient_quota")


def test_it_is_answered_once_under_a_key(program: Program, writing: ScriptedUpstream) -> None:
    program.headers["Idempotency-Key"] = "one"
    first = program.go_on()
    wait_until(lambda: not run_service.live_runs())
    again = program.go_on()
    assert (again.headers["Idempotent-Replayed"], again.data) == ("true", first.data)
    assert len(rows(TokenUsage)) == len(writing.journal.chats) == 1


def test_a_session_opens_none(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    assert member_client.post("/v1/completions", json={"model": "deepseek-flash", "prompt": "a"}).status_code == 401


def test_what_is_no_table_of_likelihoods_is_left_out(program: Program, upstream: ScriptedUpstream) -> None:
    def chunk(likely: Any, reason: str | None = None) -> bytes:
        choice = {"text": "a", "index": 0, "logprobs": likely, "finish_reason": reason}
        return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"

    tables = ({"tokens": ["a"]}, ["no table"], {"tokens": 7}, {"tokens": None, "token_logprobs": [-1]})
    said = b"".join(chunk(each) for each in tables) + chunk(None, "stop") + b"data: [DONE]\n\n"
    upstream.script(Raw((said,)), path=COMPLETIONS)
    (choice,) = program.go_on(logprobs=1).get_json()["choices"]
    assert (choice["text"], choice["logprobs"]) == ("aaaaa", {"tokens": ["a"], "token_logprobs": [-1]})
