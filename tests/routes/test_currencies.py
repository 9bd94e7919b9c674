"""Money that could never be counted is refused where a limit, a balance, codes, a key or a price is made."""

from typing import Any

import pytest
from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.models import DEFAULT_GROUP_ID, ApiKey, Budget, CodeBatch, Group, Provider, Tariff, User
from tests.support import gateway, odd_money
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

BUDGETS, BATCHES = "/api/admin/budgets", "/api/admin/code-batches"
OPENING = f"/api/admin/groups/{DEFAULT_GROUP_ID}/opening-balance"
KEYS, TARIFFS = "/api/admin/keys", "/api/admin/tariffs"
PRICES = {"input_hit": "1", "input_miss": "1", "output": "1"}
LIMITS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", BUDGETS, {"scope": "site", "period": "day", "limit": 1_000}),
    ("POST", BUDGETS, {"scope": "site", "period": "prepaid", "limit": 1_000, "reason": "paid"}),
    ("POST", BATCHES, {"label": "flyers", "count": 1, "amount": 1_000}),
    ("PUT", OPENING, {"amount": 1_000}),
]
SOURCES: list[tuple[str, dict[str, Any]]] = [
    (KEYS, {"label": "own", "secret": "sk-0123456789"}),
    (TARIFFS, {"model": "m", "prices": PRICES}),
]
WORDS = {
    "en": ("Write CNY instead of RMB", "CNY, USD"),
    "zh": ("请写 CNY，而不是 RMB", "CNY, USD"),
    "zh-TW": ("請寫 CNY，而不是 RMB", "CNY, USD"),
    "ja": ("RMB ではなく CNY", "CNY, USD"),
}


def rows() -> list[object]:
    """How many there are of each, and what people begin with."""
    with reading() as session:
        counted = [
            session.scalar(select(func.count()).select_from(each)) or 0
            for each in (Budget, CodeBatch, ApiKey, Provider, Tariff)
        ]
        return [*counted, session.get_one(Group, DEFAULT_GROUP_ID).opening_unit]


@pytest.mark.parametrize(("method", "path", "body"), LIMITS, ids=["budget", "balance", "codes", "opening"])
def test_a_limit_is_in_a_currency_that_is_billed_here(
    admin_client: PageClient, member: User, method: str, path: str, body: dict[str, Any]
) -> None:
    before = rows()
    for unit, code in (("CYN", "currency_not_billed"), ("XXX", "currency_not_billed"), ("YEN", "currency_not_billed")):
        refused = admin_client.open(path, method=method, json=body | {"unit": unit})
        assert (refused.status_code, error_code(refused)) == (422, code), unit
    refused = admin_client.open(path, method=method, json=body | {"unit": "RMB"})
    assert (refused.status_code, error_code(refused)) == (422, "currency_is_called")
    assert rows() == before
    keep_provider("other", "https://other.example.com", currency="EUR")
    for unit in ("CNY", "USD", "EUR"):
        assert admin_client.open(path, method=method, json=body | {"unit": unit}).status_code in {200, 201}, unit


def test_a_token_is_limited_in_a_currency_that_is_billed_here(member: User, member_client: PageClient) -> None:
    path = f"/api/tokens/{gateway.made(member).token.id}/budget"
    refused = member_client.put(path, json={"unit": "CYN", "period": "day", "limit": 1_000})
    assert (refused.status_code, error_code(refused)) == (422, "currency_not_billed")
    assert member_client.put(path, json={"unit": "CNY", "period": "day", "limit": 1_000}).status_code == 200


@pytest.mark.parametrize(("path", "body"), SOURCES, ids=["key", "price"])
def test_a_key_or_a_price_is_in_a_currency_that_there_is(
    admin_client: PageClient, upstream: ScriptedUpstream, path: str, body: dict[str, Any]
) -> None:
    before = rows()
    for currency, code in (("CYN", "unknown_currency"), ("XXX", "unknown_currency"), ("rmb", "currency_is_called")):
        refused = admin_client.post(path, json=body | {"currency": currency})
        assert (refused.status_code, error_code(refused)) == (422, code), currency
    assert rows() == before
    keep_provider("older", "https://older.example.com", currency="CYN")
    for currency in ("chf", "CYN"):
        assert admin_client.post(path, json=body | {"currency": currency}).status_code == 201, currency


@pytest.mark.parametrize("language", WORDS)
def test_a_refusal_says_what_to_write_in_the_readers_language(admin_client: PageClient, language: str) -> None:
    _, path, body = LIMITS[0]
    for unit, words in zip(("RMB", "CYN"), WORDS[language], strict=True):
        refused = admin_client.post(path, json=body | {"unit": unit}, headers={"Accept-Language": language})
        assert words in refused.get_json()["error"]["message"]


def test_what_is_there_in_an_odd_currency_is_shown_changed_and_removed(admin_client: PageClient, member: User) -> None:
    budget = odd_money.keep("CYN")
    balance = odd_money.keep("RMB", scope="user", scope_id=member.id, period="prepaid", amount=0)
    listed = admin_client.get(BUDGETS).get_json()["budgets"]
    assert {(each["id"], each["unit"]) for each in listed} == {(budget, "CYN"), (balance, "RMB")}
    assert admin_client.get("/admin/budgets").status_code == 200
    assert admin_client.patch(f"{BUDGETS}/{budget}", json={"limit": 5}).status_code == 200
    more = {"amount": 5, "reason": "paid"}
    assert admin_client.post(f"{BUDGETS}/{balance}/top-ups", json=more).status_code in {200, 201}
    for each in (budget, balance):
        assert admin_client.delete(f"{BUDGETS}/{each}").status_code == 204
    odd_money.keep_opening(DEFAULT_GROUP_ID, "CYN")
    assert admin_client.put(OPENING, json={"unit": "CYN", "amount": 7}).status_code == 200
    assert admin_client.put(OPENING, json={"amount": None}).status_code == 200


@pytest.mark.parametrize("page", ["/admin/budgets", "/admin/codes", "/admin/groups"])
def test_a_page_offers_what_is_known_and_says_in_what_keys_bill(admin_client: PageClient, page: str) -> None:
    english = {"Accept-Language": "en"}
    assert "There is no key here yet." in admin_client.get(page, headers=english).text
    provider = keep_provider("other", "https://other.example.com", currency="EUR")
    keep_key(provider, "euros")
    shown = admin_client.get(page, headers=english).text
    assert "Keys here bill in: EUR." in shown
    assert [shown.count(f'<option value="{each}">') for each in ("EUR", "CNY", "USD", "GBP")] == [1, 1, 1, 0]
    assert 'value="EUR"' in shown.partition('name="currency"')[2].partition(">")[0]
