"""Embeddings for programs: the provider's vectors, on the person's own bill."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, ProgramRequest, SpentDaily, TokenUsage, User
from flask_app.services.gateway import request_log
from flask_app.services.runs import run_service
from flask_app.upstream import embeddings
from tests.support import prices
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.gateway import Program, made
from tests.support.keys import keep_key, keep_provider
from tests.support.limits import limit
from tests.support.scripted_upstream import Answer, Embedded, ScriptedUpstream, Status, Usage
from tests.support.upstream_embeddings import EMBEDDINGS, vector


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


@pytest.fixture
def embedding(upstream: ScriptedUpstream) -> ScriptedUpstream:
    """A provider that has embeddings."""
    upstream.script(Embedded(), path=EMBEDDINGS, always=True)
    return upstream


def rows(kind: type[Any]) -> list[Any]:
    with reading() as session:
        return list(session.scalars(select(kind)))


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


@pytest.mark.parametrize(
    ("given", "count"), [("hello", 1), (["a", "b", "c"], 3), ([15339, 1917], 1), ([[1, 2], [3], [4]], 3)]
)
def test_each_input_gets_its_vector_and_the_ledger_the_prompt(
    program: Program, embedding: ScriptedUpstream, given: Any, count: int
) -> None:
    response = program.embed(given, dimensions=3, encoding_format="float", user="somebody")
    assert response.status_code == 200, response.text
    told = response.get_json()
    assert [(each["index"], each["embedding"]) for each in told["data"]] == [(n, vector(n)) for n in range(count)]
    assert {each["object"] for each in told["data"]} == {"embedding"}
    assert told["usage"] == {"prompt_tokens": 7, "total_tokens": 7, "source": "reported"}
    asked = {"model": "deepseek-flash", "input": given, "dimensions": 3, "encoding_format": "float"}
    assert embedding.journal.last.body == asked
    (entry,) = rows(TokenUsage)
    assert (entry.channel, entry.source, entry.outcome) == ("api", "reported", "complete")
    assert (entry.prompt_tokens, entry.completion_tokens, entry.reasoning_tokens) == (7, 0, 0)
    (attempt,) = rows(Attempt)
    assert (attempt.state, attempt.status_code, attempt.max_tokens) == ("settled", 200, 0)
    assert attempt.reserved_tokens >= 7
    request_log.write()
    (row,) = rows(ProgramRequest)
    assert (row.call, row.model, row.status, row.attempts, row.attempt_id) == (
        "embeddings",
        "deepseek-flash",
        200,
        1,
        attempt.id,
    )


def test_vectors_may_come_in_base64(program: Program, embedding: ScriptedUpstream) -> None:
    assert program.embed(encoding_format="base64").get_json()["data"][0]["embedding"] == "AAAAAAAAAD8AAIC+"


def test_what_no_provider_counts_is_an_estimate(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Embedded(tells_usage=False, actual_model="embed-2"), path=EMBEDDINGS)
    told = program.embed("a longer text to count").get_json()
    assert (told["usage"]["source"], told["model"]) == ("estimated", "embed-2")
    (entry,) = rows(TokenUsage)
    assert (entry.source, entry.prompt_tokens) == ("estimated", told["usage"]["prompt_tokens"])
    assert entry.prompt_tokens > 0


def test_it_costs_the_models_price_of_a_prompt(program: Program, embedding: ScriptedUpstream) -> None:
    prices.put("deepseek-flash", 2, output=9)
    program.embed()
    (entry,) = rows(TokenUsage)
    assert (entry.cost_micros, entry.currency) == (14, "CNY")


@pytest.mark.parametrize("status", [404, 405, 501])
def test_where_the_provider_has_none_it_is_said_so_and_costs_nothing(
    program: Program, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.script(Status(status), path=EMBEDDINGS)
    response = program.embed()
    assert code(response) == (404, "embeddings_not_offered")
    assert response.get_json()["error"]["type"] == "invalid_request_error"
    assert rows(TokenUsage) == []
    (attempt,) = rows(Attempt)
    assert (attempt.state, attempt.error_code, attempt.status_code) == ("released", "embeddings_not_offered", status)
    assert program.complete().status_code == 200, "nobody is benched for it"


@pytest.mark.parametrize(
    "script", [Embedded(count=2), Embedded(count=0), Embedded(junk=b"{"), Embedded(junk=b'{"data": [{"index": 0}]}')]
)
def test_what_are_no_vectors_is_garbage_and_costs_nothing(
    program: Program, upstream: ScriptedUpstream, script: Embedded
) -> None:
    upstream.script(script, path=EMBEDDINGS, always=True)
    assert code(program.embed()) == (502, "upstream_garbage")
    assert rows(TokenUsage) == []
    assert {attempt.state for attempt in rows(Attempt)} == {"released"}


def test_a_provider_that_hiccups_is_asked_again(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Status(500), Embedded(), path=EMBEDDINGS)
    assert program.embed().status_code == 200
    assert [attempt.state for attempt in rows(Attempt)] == ["released", "settled"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ""}, "input"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": ["a", 1]}, "input"),
        ({"input": [[1], "a"]}, "input"),
        ({"input": [[]]}, "input[0]"),
        ({"input": [-1]}, "input[0]"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": 7}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"stream": True}, "stream"),
        ({"max_tokens": 9}, "max_tokens"),
    ],
)
def test_what_is_not_taken_is_named(program: Program, embedding: ScriptedUpstream, fields: Any, param: str) -> None:
    response = program.embed(**{"given": "hello"} | {("given" if k == "input" else k): v for k, v in fields.items()})
    assert response.status_code == 400
    assert response.get_json()["error"]["param"] == param
    assert embedding.journal.chats == []


def test_many_tokens_are_one_input(program: Program, embedding: ScriptedUpstream) -> None:
    assert len(program.embed([1] * 3000).get_json()["data"]) == 1


def test_budgets_and_tokens_hold(app: Flask, program: Program, member: User, embedding: ScriptedUpstream) -> None:
    assert code(program.embed(model="gpt-0")) == (404, "model_not_found")
    kept = Program(app, made(member, models=["deepseek-v4-pro"]).secret)
    assert code(kept.embed()) == (403, "model_not_allowed")
    assert Program(app, "sk-" + "0" * 48).embed().status_code == 401
    limit(1000)
    assert program.embed().headers["x-ratelimit-remaining-tokens"] == "993"
    assert code(program.embed("x" * 2000)) == (429, "insufficient_quota")
    assert embedding.journal.chats[1:] == []


def test_it_is_answered_once_under_a_key(program: Program, embedding: ScriptedUpstream) -> None:
    program.headers["Idempotency-Key"] = "one"
    first = program.embed()
    wait_until(lambda: not run_service.live_runs())  # it is kept once it is booked
    again = program.embed()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.data == again.data
    assert len(rows(TokenUsage)) == len(embedding.journal.chats) == 1


def test_a_session_opens_none(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    assert member_client.post("/v1/embeddings", json={"model": "deepseek-flash", "input": "a"}).status_code == 401


def test_records_and_sums_have_them(program: Program, embedding: ScriptedUpstream, member_client: PageClient) -> None:
    embedding.script(Answer("Hi", usage=Usage(prompt=5, completion=2)))
    program.embed()
    program.complete()
    found = member_client.get("/api/usage/records").get_json()["records"]
    assert [record["total_tokens"] for record in found] == [7, 7]
    assert member_client.get("/api/usage/summary").get_json()["total"]["total_tokens"] == 14


def test_a_reply_without_end_is_not_read_to_it_and_is_booked(
    program: Program, embedding: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its provider has worked: whoever asks for too much at once would have it for nothing."""
    monkeypatch.setattr(embeddings, "MAX_REPLY_BYTES", 100)
    assert code(program.embed(["a text"] * 20)) == (400, "reply_too_long")
    (attempt,), (entry,) = rows(Attempt), rows(TokenUsage)
    assert (attempt.state, attempt.error_code) == ("settled", "reply_too_long")
    assert (entry.source, entry.completion_tokens) == ("estimated", 0)
    assert entry.prompt_tokens >= 20
    assert program.complete().status_code == 200, "nobody is benched for it"


def test_a_long_reply_is_read_aside(
    program: Program, embedding: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "LONG_BYTES", 1)
    assert program.embed(["a", "b"]).get_json()["data"][1]["embedding"] == vector(1)


@pytest.mark.parametrize("cut_at", [1, 40])
def test_a_reply_that_breaks_off_is_booked_as_an_estimate(
    program: Program, upstream: ScriptedUpstream, cut_at: int
) -> None:
    """Its provider has worked, and may bill: as with an answer nobody else is asked, and what was asked is booked."""
    keep_key(keep_provider("second", upstream.base_url, models=["deepseek-flash"]), "second")
    upstream.script(Embedded(cut_at=cut_at), path=EMBEDDINGS)
    assert code(program.embed(["a text"] * 20)) == (502, "upstream_cut")
    (asked,) = upstream.journal.chats
    assert (asked.path, asked.usage_sent) == (EMBEDDINGS, None)
    (attempt,) = rows(Attempt)
    (entry,) = rows(TokenUsage)
    assert attempt.id == asked.headers["x-request-id"] == entry.attempt_id
    assert (attempt.state, attempt.error_code, attempt.status_code) == ("settled", "upstream_cut", 200)
    assert (entry.source, entry.completion_tokens) == ("estimated", 0)
    assert 20 <= entry.prompt_tokens <= attempt.reserved_tokens
    assert entry.cost_micros is not None


def test_one_that_says_nothing_after_its_head_is_asked_for_elsewhere(
    program: Program, upstream: ScriptedUpstream
) -> None:
    upstream.script(Embedded(cut_at=0), path=EMBEDDINGS)
    upstream.script(Embedded(), path=EMBEDDINGS)
    assert program.embed().status_code == 200
    assert [attempt.state for attempt in rows(Attempt)] == ["released", "settled"]


def test_what_is_booked_of_it_counts_against_budgets(
    program: Program, upstream: ScriptedUpstream, member_client: PageClient
) -> None:
    limit(1_000_000)
    upstream.script(Embedded(cut_at=30), path=EMBEDDINGS)
    assert code(program.embed()) == (502, "upstream_cut")
    total = member_client.get("/api/usage/summary").get_json()["total"]["total_tokens"]
    with reading() as session:
        spent = session.scalars(
            select(SpentDaily.amount).where(SpentDaily.scope == "site", SpentDaily.unit == "tokens")
        ).one()
    assert total == spent > 0
    assert rows(Attempt)[0].state == "settled", "nothing stays reserved"
