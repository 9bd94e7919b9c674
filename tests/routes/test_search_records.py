"""Web searches among the records: rows of no tokens that cost something, in pages, files and sums."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flask_app.database import new_id
from flask_app.models import TokenUsage, User
from flask_app.services.completion.attempts import Bounds
from flask_app.web.exports import BYTE_ORDER_MARK
from tests.support import calls, ledger, prices
from tests.support.clients import PageClient

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
NO_TOKENS = dict.fromkeys(("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"), 0)
SEARCH: dict[str, Any] = {
    "channel": "search",
    "model": "deepseek-search",
    "key_id": "key",
    "cost_micros": 5_000,
    "cache_saved_micros": 0,
    "peak": None,
    "tariff_id": "deepseek-search.CNY.2026-11-01",
    "first_token_ms": None,
    **NO_TOKENS,
}


@pytest.fixture
def booked(member: User) -> TokenUsage:
    """A search, and an answer beside it."""
    (search, _) = ledger.write([ledger.entry(member.id, NOON, **SEARCH), ledger.entry(member.id, NOON)])
    return search


def get(client: PageClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return response.json


def parts_of(record: Any) -> list[tuple[str, int, str, int]]:
    return [(part["kind"], part["tokens"], part["price"], part["micros"]) for part in record["price"]["parts"]]


def test_a_record_of_a_search_says_what_its_request_cost(booked: TokenUsage, member_client: PageClient) -> None:
    (record,) = get(member_client, "/api/usage/records?channel=search")["records"]
    assert (record["id"], record["channel"], record["model"]) == (booked.id, "search", "deepseek-search")
    assert (record["total_tokens"], record["cost_micros"], record["currency"]) == (0, 5_000, "CNY")
    tokens = [(kind, 0, "0", 0) for kind in ("input_hit", "input_miss", "output")]
    assert parts_of(record) == [*tokens, ("request", 0, "5", 5_000)]


def test_a_record_of_an_answer_says_what_its_request_cost_too(member: User, member_client: PageClient) -> None:
    tariff = prices.put("m", 1, request=2, starts_at=NOON)
    ledger.write([ledger.entry(member.id, NOON, model="m", tariff_id=tariff, cost_micros=2_150)])
    (record,) = get(member_client, "/api/usage/records")["records"]
    assert parts_of(record)[2:] == [("output", 50, "1", 50), ("request", 0, "2", 2_000)]
    assert sum(part["micros"] for part in record["price"]["parts"]) == record["cost_micros"]


def test_a_refund_of_a_search_takes_it_all_back(booked: TokenUsage, admin_client: PageClient) -> None:
    path = f"/api/admin/records/{booked.id}/refund"
    assert admin_client.post(path, json={"reason": "it found nothing"}).status_code == 200
    (refund,) = get(admin_client, "/api/admin/records?provenance=refunded&limit=1")["records"]
    assert (refund["kind"], refund["total_tokens"], refund["cost_micros"]) == ("refund", 0, -5_000)
    assert parts_of(refund)[-1] == ("request", 0, "5", -5_000)
    assert ledger.unsound() == []


def test_a_file_has_the_requests_cost_in_a_column(booked: TokenUsage, member_client: PageClient) -> None:
    text = member_client.get("/api/usage/records/export").data.decode().removeprefix(BYTE_ORDER_MARK)
    rows = {row["channel"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    costs = ("input_hit_micros", "input_miss_micros", "output_micros", "request_micros")
    assert [rows["search"][name] for name in costs] == ["0", "0", "0", "5000"]
    assert [rows["chat"][name] for name in costs] == [""] * 4, "its tariff is not known"


def test_where_requests_cost_nothing_the_column_says_so(member: User, member_client: PageClient) -> None:
    ledger.write([ledger.entry(member.id, NOON, tariff_id="deepseek-flash.CNY.2026-09-10")])
    (record,) = get(member_client, "/api/usage/records")["records"]
    assert [part["kind"] for part in record["price"]["parts"]] == ["input_hit", "input_miss", "output"]
    text = member_client.get("/api/usage/records/export").data.decode().removeprefix(BYTE_ORDER_MARK)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["output_micros"], row["request_micros"]) == ("200", "0")


def test_the_attempts_of_a_search_are_not_those_of_its_answer(member: User, member_client: PageClient) -> None:
    run = new_id()
    for number, (channel, settles) in enumerate((("search", False), ("search", True), ("chat", True))):
        call = replace(calls.call_of(member.id, channel=channel), run_id=run)
        sent = calls.dispatch(call, Bounds(prompt=10, answer=10), NOON + timedelta(seconds=number))
        if settles:
            calls.settle(sent, 1, 1)
    told = {each["channel"]: each["attempts"] for each in get(member_client, "/api/usage/records")["records"]}
    assert told == {"search": 2, "chat": 1}


def test_sums_have_searches_apart_by_channel_and_by_model(booked: TokenUsage, member_client: PageClient) -> None:
    for by, name in (("channel", "search"), ("model", "deepseek-search")):
        groups = get(member_client, f"/api/usage/groups?by={by}")["rows"]
        (found,) = [group for group in groups if group["key"] == name]
        assert (found["requests"], found["total_tokens"], found["unpriced_requests"]) == (1, 0, 0)
        assert found["costs"] == [{"currency": "CNY", "micros": 5_000}]


def test_a_search_without_a_price_is_counted_where_prices_are_set(member: User, admin_client: PageClient) -> None:
    unpriced = {"cost_micros": None, "currency": None, "tariff_id": None}
    free = {"model": "searxng", "key_id": None}
    ledger.write(ledger.entry(member.id, NOON, **SEARCH | unpriced | fields) for fields in ({}, free))
    models = {each["model"]: each for each in get(admin_client, "/api/admin/tariffs")["models"]}
    assert models["deepseek-search"]["unpriced_records"] == 1
    assert "searxng" not in models
    told = {each["model"]: each["free"] for each in get(admin_client, "/api/admin/records")["records"]}
    assert told == {"deepseek-search": False, "searxng": True}
