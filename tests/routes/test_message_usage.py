"""GET /api/messages/…/usage: what one answer took."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction
from flask_app.models import TokenUsage
from tests.conftest import MakeUser, SignIn
from tests.support import web_searching
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status, Usage

JSON = {"Accept": "application/json"}
COUNTED = Usage(prompt=1200, cached=1000, completion=345, reasoning=45)


def ask(client: PageClient) -> Any:
    return client.post("/api/chat", json={"message": "count"}, headers=JSON).json


def usage(client: PageClient, message_id: str) -> Any:
    return client.get(f"/api/messages/{message_id}/usage")


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.created_at, TokenUsage.id)))


def test_it_says_what_was_booked(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("one two", thinking="hm", usage=COUNTED, actual_model="deepseek-flash-1117"))
    answer = ask(member_client)
    [entry] = entries()
    assert entry.first_token_ms is not None
    told: Any = usage(member_client, answer["id"]).json
    assert told == {
        "model": answer["model"],
        "actual_model": "deepseek-flash-1117",
        "effort": None,
        "prompt_tokens": 1200,
        "cached_tokens": 1000,
        "completion_tokens": 345,
        "reasoning_tokens": 45,
        "estimated": False,
        "costs": [{"currency": entry.currency, "micros": entry.cost_micros}],
        "unpriced": False,
        "free": False,
        "first_token_ms": entry.first_token_ms,
        "writing_ms": entry.duration_ms - entry.first_token_ms,
        "written_tokens": entry.completion_tokens,
        "duration_ms": entry.duration_ms,
        "search": None,
    }


def test_the_runs_of_an_answer_are_added_up(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("half", finish_reason="length", usage=COUNTED), Answer(" and half", usage=COUNTED))
    answer = ask(member_client)
    member_client.post(f"/api/runs/{answer['run_id']}/continue", json={}, headers=JSON)
    first, second = entries()
    told: Any = usage(member_client, answer["id"]).json
    assert (told["prompt_tokens"], told["completion_tokens"]) == (2400, 690)
    assert told["duration_ms"] == first.duration_ms + second.duration_ms
    assert told["first_token_ms"] == first.first_token_ms
    assert told["costs"] == [{"currency": "CNY", "micros": (first.cost_micros or 0) + (second.cost_micros or 0)}]


def test_what_its_search_cost_is_told_beside_it(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    web_searching.switch_on()
    upstream.script(Answer("19 metres [1]", usage=COUNTED), Answer("19 again", usage=COUNTED))
    answer = web_searching.ask_whole(member_client)
    (looked_up,), (booked,) = web_searching.entries(), web_searching.entries("chat")
    told: Any = usage(member_client, answer["id"]).json
    assert told["search"] == {"costs": [{"currency": "CNY", "micros": looked_up.cost_micros}], "unpriced": False}
    assert (told["prompt_tokens"], told["duration_ms"]) == (1200, booked.duration_ms)
    assert told["costs"] == [{"currency": "CNY", "micros": booked.cost_micros}]
    question = f"/api/messages/{looked_up.message_id}/answers"
    anew: Any = member_client.post(question, json={}, headers=JSON).json
    told = usage(member_client, anew["id"]).json or {}
    assert told["search"] is None, "what was found was there"


@pytest.mark.unsound_ledger("takes prices away")
def test_what_has_no_price_or_is_an_estimate_is_said(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("words", tells_usage=False))
    answer = ask(member_client)
    with transaction() as session:
        session.execute(update(TokenUsage).values(cost_micros=None, currency=None))
    told: Any = usage(member_client, answer["id"]).json
    assert (told["estimated"], told["unpriced"], told["free"], told["costs"]) == (True, True, False, [])
    with transaction() as session:
        session.execute(update(TokenUsage).values(key_id=None))
    told = usage(member_client, answer["id"]).json
    assert (told["unpriced"], told["free"]) == (False, True)


def test_of_an_answer_that_cost_nothing_nothing_is_booked(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Status(400))
    told: Any = usage(member_client, ask(member_client)["id"]).json
    assert (told["prompt_tokens"], told["costs"], told["free"]) == (0, [], False)
    assert (told["first_token_ms"], told["writing_ms"], told["actual_model"]) == (None, None, None)


def test_it_takes_few_queries(
    member_client: PageClient,
    upstream: ScriptedUpstream,
    query_count: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    answer = ask(member_client)
    with query_count() as statements:
        usage(member_client, answer["id"])
    assert len(statements) <= 3


def test_signed_out(client: PageClient, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    assert usage(client, ask(member_client)["id"]).status_code == 401


@pytest.mark.parametrize("message_id", ["0" * 26, "x", "é"])
def test_somebody_elses_looks_absent(
    member_client: PageClient, make_user: MakeUser, sign_in: SignIn, upstream: ScriptedUpstream, message_id: str
) -> None:
    other = sign_in(make_user("other"))
    foreign, absent = usage(other, ask(member_client)["id"]), usage(other, message_id)
    assert (foreign.status_code, error_code(foreign)) == (absent.status_code, error_code(absent)) == (404, "not_found")
