"""/api/admin/tariffs: what models cost, from a moment on; the past stays as it was booked."""

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import AuditEntry, ChatModel, Tariff, TokenUsage, User
from flask_app.services.providers import model_service
from tests.support import ledger, web_searching
from tests.support.administered_prices import (
    CALENDAR,
    HIGH,
    LATER,
    PEAK,
    PRICES,
    TARIFFS,
    YEAR,
    add,
    code_of,
    line_of,
    prices_of,
    put,
)
from tests.support.clients import PageClient
from tests.support.keys import keep_provider
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

USED = Usage(prompt=1000, cached=600, completion=500, reasoning=400)
COST = 300 + 400 + 1000  # by hand: 600 × 0.5 + 400 × 1 + 500 × 2, in millionths


@pytest.fixture(autouse=True)
def _listed(upstream: ScriptedUpstream) -> None:
    model_service.available()


def ask(client: PageClient, model: str = "deepseek-flash") -> Any:
    return client.post("/api/chat", json={"message": "hello", "model": model}, headers={"Accept": "application/json"})


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.id)))


def test_the_shipped_prices_are_listed_with_their_history(admin_client: PageClient) -> None:
    response = admin_client.get(TARIFFS)
    flash = prices_of(response, "deepseek-flash")
    assert (flash["providers"], flash["listed"], flash["unpriced"], flash["unpriced_records"]) == (
        ["DeepSeek"],
        True,
        False,
        0,
    )
    line = line_of(response, "deepseek-flash")
    assert (line["billed"], line["peak_now"] in (True, False)) == (True, True)
    (tariff,) = line["tariffs"]
    assert tariff["prices"] == {"input_hit": "0.02", "input_miss": "1", "output": "4"}
    assert tariff["peak"]["prices"] == {"input_hit": "0.04", "input_miss": "2", "output": "8"}
    assert tariff["peak"]["calendar"]["holidays"] == "CN"
    assert not line_of(response, "deepseek-flash", "USD")["billed"]
    old = line_of(response, "deepseek-v4-flash")["tariffs"]
    assert [each["state"] for each in old] == ["current", "past", "past"]
    assert [each["ends_at"] for each in old] == [None, old[0]["starts_at"], old[1]["starts_at"]]
    never_listed = prices_of(response, "deepseek-v4-flash")
    assert (never_listed["listed"], never_listed["known"]) == (False, False)
    with transaction() as session:
        session.execute(update(ChatModel).where(ChatModel.name == "deepseek-flash").values(listed=False))
    retired = prices_of(admin_client.get(TARIFFS), "deepseek-flash")
    assert (retired["listed"], retired["known"]) == (False, True)


def test_whoever_searches_for_the_site_is_in_use(admin_client: PageClient) -> None:
    other = keep_provider("Other", "https://other.example.com", models=["own"], currency="EUR")
    with transaction() as session:
        session.execute(update(ChatModel).values(listed=False))
    assert prices_of(admin_client.get(TARIFFS), "deepseek-search")["listed"] is False
    web_searching.choose(other)
    search = prices_of(admin_client.get(TARIFFS), "deepseek-search")
    assert (search["providers"], search["listed"], search["unpriced"]) == (["Other"], True, True)
    opened = prices_of(admin_client.get(TARIFFS), "deepseek-fetch")
    assert (opened["providers"], opened["listed"], opened["unpriced"]) == (["Other"], True, True)


def test_what_a_search_costs_is_listed_for_whoever_serves_deepseeks_own(admin_client: PageClient) -> None:
    other = keep_provider("Other", "https://other.example.com", models=["deepseek-flash"], currency="USD")
    response = admin_client.get(TARIFFS)
    search = prices_of(response, "deepseek-search")
    assert (search["providers"], search["listed"], search["known"], search["unpriced"]) == (
        ["DeepSeek"],
        True,
        True,
        False,
    )
    lines = {line["currency"]: (line["billed"], line["tariffs"][0]["thousand_requests"]) for line in search["lines"]}
    assert lines == {"CNY": (True, "5"), "USD": (False, "0.75")}
    (tariff,) = line_of(response, "deepseek-search")["tariffs"]
    assert tariff["prices"] == {"input_hit": "0", "input_miss": "0", "output": "0"}
    assert tariff["starts_at"] == "2026-10-31T16:00:00Z"
    with transaction() as session:
        session.execute(update(ChatModel).where(ChatModel.provider_id == other).values(listed=False))
    flash = prices_of(admin_client.get(TARIFFS), "deepseek-flash")
    assert (flash["providers"], flash["listed"]) == (["DeepSeek"], True)
    with transaction() as session:
        session.execute(update(ChatModel).values(listed=False))
    gone = prices_of(admin_client.get(TARIFFS), "deepseek-search")
    assert (gone["providers"], gone["listed"], gone["known"]) == ([], False, False)


def test_a_request_has_a_price_beside_its_tokens(admin_client: PageClient) -> None:
    planned = line_of(add(admin_client, starts_at=LATER, peak=PEAK, thousand_requests="0.75"))["tariffs"][0]
    assert (planned["thousand_requests"], planned["prices"], planned["peak"]["prices"]) == ("0.75", PRICES, HIGH)
    with reading() as session:
        assert session.get_one(Tariff, planned["id"]).request_price == 750
    changed = line_of(put(admin_client, planned["id"], starts_at=LATER, thousand_requests="5"))["tariffs"][0]
    assert changed["thousand_requests"] == "5"
    assert line_of(put(admin_client, planned["id"], starts_at=LATER))["tariffs"][0]["thousand_requests"] == "0"
    admin_client.delete(f"{TARIFFS}/{planned['id']}")
    with reading() as session:
        query = select(AuditEntry.details).where(AuditEntry.target == planned["id"]).order_by(AuditEntry.id)
        told = [json.loads(details) for details in session.scalars(query)]
    costs = [[each[time]["thousand_requests"] for time in ("before", "after") if time in each] for each in told]
    assert costs == [["0.75"], ["0.75", "5"], ["5", "0"], ["0"]]


def test_a_model_without_a_price_comes_first_with_its_records_counted(admin_client: PageClient, member: User) -> None:
    keep_provider("Other", "https://other.example.com", models=["zz-new"], currency="EUR")
    unpriced = {"model": "zz-new", "key_id": "k", "cost_micros": None, "currency": None}
    ledger.write([ledger.entry(member.id, utc_now(), **unpriced) for _ in range(2)])
    ledger.write([ledger.entry(member.id, utc_now(), **unpriced | {"model": "gone"})])
    ledger.write([ledger.entry(member.id, utc_now(), **unpriced | {"model": "local", "key_id": None})])
    models = admin_client.get(TARIFFS).json["models"]  # type: ignore[index]
    assert models[0] == {
        "model": "zz-new",
        "providers": ["Other"],
        "listed": True,
        "known": True,
        "unpriced": True,
        "unpriced_records": 2,
        "lines": [{"currency": "EUR", "billed": True, "peak_now": None, "changes_at": None, "tariffs": []}],
    }
    assert {each["model"]: each["unpriced_records"] for each in models if each["unpriced_records"]} == {
        "zz-new": 2,
        "gone": 1,
    }


def test_a_price_holds_from_the_next_reservation(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(*[Answer("hi", usage=USED)] * 2)
    ask(member_client)
    (before,) = entries()
    before_cost = before.cost_micros
    response = add(admin_client, model=" deepseek-flash ", currency="cny")
    assert response.status_code == 201
    tariff = line_of(response, "deepseek-flash")["tariffs"][0]
    assert (tariff["state"], tariff["prices"], tariff["peak"]) == ("current", PRICES, None)
    ask(member_client)
    first, second = entries()
    assert (second.cost_micros, second.tariff_id, second.currency, second.peak) == (COST, tariff["id"], "CNY", None)
    assert (first.cost_micros, first.tariff_id) == (before_cost, "deepseek-flash.CNY.2026-09-10")


def test_a_price_that_changes_in_mid_stream_leaves_the_answer_its_own(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    add(admin_client, model="deepseek-flash")
    upstream.script(Answer("a slow answer", usage=USED, first_token_after=1.0))
    asking = threading.Thread(target=ask, args=(member_client,))
    asking.start()
    while not upstream.journal.chats:
        asking.join(0.02)
    dear = {"input_hit": "100", "input_miss": "100", "output": "100"}
    started = utc_now() - timedelta(seconds=30)
    assert (
        code_of(add(admin_client, model="deepseek-flash", prices=dear, starts_at=started.isoformat()))
        == "price_in_the_past"
    )
    assert add(admin_client, model="deepseek-flash", prices=dear).status_code == 201
    asking.join()
    (entry,) = entries()
    assert entry.cost_micros == COST
    upstream.script(Answer("the next", usage=USED))
    ask(member_client)
    assert entries()[-1].cost_micros == 150_000


def test_each_currency_has_prices_of_its_own(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    key = {
        "label": "dollars",
        "secret": "sk-dollars-0123456789",
        "base_url": f"{upstream.base_url}/v1",
        "currency": "USD",
    }
    assert admin_client.post("/api/admin/keys", json=key).status_code == 201
    add(admin_client, model="deepseek-flash")
    tenth = {name: str(float(price) / 10) for name, price in PRICES.items()}
    add(admin_client, model="deepseek-flash", currency="USD", prices=tenth)
    for currency, disabled in (("CNY", "dollars"), ("USD", "environment")):
        for name in ("environment", "dollars"):
            found = next(k for k in admin_client.get("/api/admin/keys").json["keys"] if name in (k["id"], k["label"]))  # type: ignore[index]
            admin_client.patch(f"/api/admin/keys/{found['id']}", json={"disabled": name == disabled})
        upstream.script(Answer("hi", usage=USED))
        assert ask(member_client).status_code == 200
        assert (entries()[-1].currency, entries()[-1].cost_micros) == (
            currency,
            COST if currency == "CNY" else COST // 10,
        )


def test_a_planned_price_is_corrected_and_removed_with_a_trace(admin_client: PageClient, admin: User) -> None:
    planned = line_of(add(admin_client, starts_at=LATER, peak=PEAK))["tariffs"][0]
    assert (planned["state"], planned["starts_at"]) == ("planned", f"{YEAR - 1}-12-31T16:00:00Z")
    own = {"holidays": "US", "peak_days": ["2027-01-02"], "off_peak_days": ["2027-01-04"]}
    assert planned["peak"]["calendar"] == CALENDAR | {"holidays": "", "peak_days": [], "off_peak_days": []}
    changed = line_of(
        put(admin_client, planned["id"], prices=HIGH, starts_at=LATER, peak=PEAK | {"calendar": CALENDAR | own})
    )
    assert changed["tariffs"][0]["prices"] == HIGH
    assert changed["tariffs"][0]["peak"]["calendar"] == CALENDAR | own
    flat = line_of(put(admin_client, planned["id"], starts_at=f"{YEAR}-06-01T00:00:00Z"))["tariffs"][0]
    assert (flat["id"], flat["starts_at"], flat["peak"]) == (planned["id"], f"{YEAR}-06-01T00:00:00Z", None)
    response = admin_client.delete(f"{TARIFFS}/{planned['id']}")
    assert response.status_code == 200
    assert "m" not in [each["model"] for each in response.json["models"]]  # type: ignore[index]
    with reading() as session:
        trace = session.scalars(
            select(AuditEntry).where(AuditEntry.target == planned["id"]).order_by(AuditEntry.created_at, AuditEntry.id)
        ).all()
    assert [entry.action for entry in trace] == ["tariff.add", "tariff.change", "tariff.change", "tariff.remove"]
    assert {entry.actor_id for entry in trace} == {admin.id}
    added, first, _, removed = (json.loads(entry.details) for entry in trace)
    assert added["after"] == first["before"]
    assert added["after"].keys() == {
        *("model", "currency", "starts_at", "calendar", "input_hit", "input_miss", "output"),
        *("peak_input_hit", "peak_input_miss", "peak_output", "thousand_requests"),
    }
    assert (first["before"]["output"], first["after"]["output"]) == ("2", "4")
    assert first["after"]["calendar"]["off_peak_days"] == ["2027-01-04"]
    assert (removed["before"]["peak_output"], removed["before"]["calendar"]) == (None, None)


def test_a_planned_price_can_be_made_to_hold_at_once(admin_client: PageClient) -> None:
    planned = line_of(add(admin_client, starts_at=LATER))["tariffs"][0]
    now = line_of(put(admin_client, planned["id"]))["tariffs"][0]
    assert (now["id"], now["state"]) == (planned["id"], "current")


def test_the_number_of_queries_does_not_grow_with_the_prices(
    admin_client: PageClient, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    admin_client.get(TARIFFS)
    with query_count() as few:
        admin_client.get(TARIFFS)
    keep_provider("Many", "https://many.example.com", models=[f"model-{number}" for number in range(20)])
    for number in range(20):
        add(admin_client, model=f"model-{number}", peak=PEAK)
    with query_count() as many:
        assert len(admin_client.get(TARIFFS).json["models"]) > 20  # type: ignore[index]
    assert len(many) == len(few)
