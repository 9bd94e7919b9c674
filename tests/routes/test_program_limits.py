"""How far a program may still go, in the headers that each company's clients read."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from flask_app import config
from flask_app.models import User
from flask_app.services.tokens.token_budget_service import Cap
from flask_app.web.program_limits import OF_ANTHROPIC, OF_OPENAI
from tests.support.clients import PageClient
from tests.support.gateway import Program, made
from tests.support.limits import limit
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status, Usage

ANSWER = Answer("Hi there", usage=Usage(prompt=9, completion=5))


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    upstream.default = ANSWER
    return Program(app, made(member).secret)


def told(response: Any, names: tuple[str, ...] = OF_OPENAI) -> dict[str, str]:
    """Those of the headers that are there, and none of the other company's."""
    others = set(OF_OPENAI + OF_ANTHROPIC) - set(names)
    headers: Mapping[str, str] = response.headers
    assert not [name for name in others if name in headers]
    return {name: headers[name] for name in names if name in headers}


def rate(text: str) -> None:
    config.install(dataclasses.replace(config.current(), chat_rate_limit=text))


@pytest.mark.parametrize("stream", [False, True])
def test_the_rate_and_what_is_left_of_it(program: Program, stream: bool) -> None:
    rate("3 per 7 minutes")
    for left in ("2", "1", "0"):
        assert told(program.complete(stream=stream)) == {
            "x-ratelimit-limit-requests": "3",
            "x-ratelimit-remaining-requests": left,
            "x-ratelimit-reset-requests": "7m0s",
        }
    refused = program.complete(stream=stream)
    assert refused.status_code == 429
    assert told(refused)["x-ratelimit-remaining-requests"] == "0"
    assert 0 < int(refused.headers["retry-after"]) <= 420


def test_what_the_person_writes_in_the_chat_counts_too(program: Program, member_client: PageClient) -> None:
    rate("3 per minute")
    reply = member_client.post("/api/chat", json={"message": "hello"})
    assert told(reply, ()) == {}, "they are a program's"
    assert told(program.respond())["x-ratelimit-remaining-requests"] == "1"


def test_anthropics_clients_find_moments(program: Program) -> None:
    rate("3 per minute")
    before = datetime.now(UTC)
    found = told(program.message(), OF_ANTHROPIC)
    reset = datetime.fromisoformat(found.pop("anthropic-ratelimit-requests-reset"))
    assert timedelta(seconds=59) < reset - before < timedelta(seconds=70)
    limits = {"anthropic-ratelimit-requests-limit": "3", "anthropic-ratelimit-requests-remaining": "2"}
    assert found == limits


def test_without_a_rate_nothing_is_told_of_one(
    program: Program, admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert admin_client.put("/api/admin/rates/site", json={"messages": {"amount": None}}).status_code == 200
    assert told(program.complete()) == {}


def test_what_is_refused_before_it_is_counted_tells_nothing(program: Program) -> None:
    assert told(program.complete(temperature=9)) == {}
    assert told(program.complete(model="gpt-0"))["x-ratelimit-limit-requests"] == "10000"
    assert told(program.get("/v1/models")) == {}, "that is another rate"


@pytest.mark.parametrize(
    ("fields", "status", "counts"),
    [
        ({"model": "gpt-0"}, 404, True),
        ({"model": "deepseek-v4-pro"}, 403, True),  # which the token may not ask for
        ({"max_tokens": 1, "messages": [{"role": "user", "content": "word " * 200_000}]}, 429, True),  # of the budget
        ({"temperature": 9}, 400, False),
        ({"functions": []}, 400, False),
        ({"store": True}, 400, False),
    ],
)
def test_what_is_refused_counts_unless_it_is_for_a_field(
    app: Flask, member: User, upstream: ScriptedUpstream, fields: dict[str, Any], status: int, counts: bool
) -> None:
    upstream.default = ANSWER
    limit(100_000)
    program = Program(app, made(member, models=["deepseek-flash"]).secret)
    assert program.complete(**fields).status_code == status
    left = "9998" if counts else "9999"
    assert told(program.complete())["x-ratelimit-remaining-requests"] == left


def test_the_tightest_budget_in_tokens_and_what_the_answer_left_of_it(
    app: Flask, member: User, upstream: ScriptedUpstream
) -> None:
    upstream.default = ANSWER
    token = made(member, budget=Cap(unit="tokens", period="total", limit=5000))
    program = Program(app, token.secret)
    limit(100_000, period="day")
    limit(10, scope="user", scope_id=member.id, period="week", hard=False)  # it only warns
    for left in ("4986", "4972"):
        found = told(program.complete())
        assert found["x-ratelimit-limit-tokens"] == "5000"
        assert found["x-ratelimit-remaining-tokens"] == left
        assert "x-ratelimit-reset-tokens" not in found, "it never begins anew"


def test_a_stream_tells_what_is_left_before_its_answer(program: Program, upstream: ScriptedUpstream) -> None:
    limit(100_000)
    upstream.default = Answer("Hi there", usage=Usage(prompt=9, completion=5), tokens_per_second=10)
    left = int(told(program.complete(stream=True))["x-ratelimit-remaining-tokens"])
    assert 100_000 - 50 < left < 100_000
    assert told(program.complete(stream=True))["x-ratelimit-remaining-tokens"] == str(left - 14)


def test_a_budget_in_tokens_renews(program: Program) -> None:
    limit(100_000, period="week")
    found = told(program.complete())
    assert found["x-ratelimit-reset-tokens"].endswith("s")
    reset = datetime.fromisoformat(told(program.message(), OF_ANTHROPIC)["anthropic-ratelimit-tokens-reset"])
    assert timedelta() < reset - datetime.now(UTC) <= timedelta(days=7)
    assert reset.microsecond == 0


def test_who_has_no_room_left_hears_of_what(program: Program, upstream: ScriptedUpstream) -> None:
    limit(100)
    for response, names in ((program.complete(), OF_OPENAI), (program.message(), OF_ANTHROPIC)):
        found = told(response, names)
        assert response.status_code == 429
        assert sorted(value for name, value in found.items() if "tokens" in name and "reset" not in name) == ["100"] * 2
        assert int(response.headers["retry-after"]) > 0
        assert response.headers["x-should-retry"] == "false"


def test_a_budget_in_money_is_no_figure_of_tokens(program: Program, upstream: ScriptedUpstream) -> None:
    limit(10_000_000, unit="CNY")
    assert "x-ratelimit-limit-tokens" not in told(program.complete())
    limit(1, unit="CNY", period="week")
    refused = program.complete()
    assert refused.status_code == 429
    assert "x-ratelimit-limit-tokens" not in told(refused)


def test_what_failed_and_cost_nothing_took_nothing(program: Program, upstream: ScriptedUpstream) -> None:
    limit(100_000)
    for stream in (False, True):
        upstream.script(Status(400))
        failed = program.complete(stream=stream)
        assert failed.status_code == 400
        assert told(failed)["x-ratelimit-remaining-tokens"] == "100000"


def test_each_table_of_budgets_is_asked_once(program: Program, query_count: Any) -> None:
    """A budget that binds is read to be kept, and not again to be told."""
    limit(100_000)
    program.complete()
    with query_count() as statements:
        assert "x-ratelimit-limit-tokens" in told(program.complete())
    assert sum("spent_daily" in each and each.startswith("SELECT") for each in statements) == 1
    with_settings = [each for each in statements if "settings" in each]
    assert sum("for_vectors" in each for each in with_settings) == 1, "which makes vectors comes with the models"
    assert len(with_settings) == 2, "and the rates with the token"
