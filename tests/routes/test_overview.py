"""/api/admin/overview: what there is to look after beside use. Who may see it is in `test_admin_usage`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from flask_app import config
from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Attempt, User
from flask_app.services.operations import system_service
from tests.support import benches, ledger
from tests.support.clients import PageClient
from tests.support.keys import change_key, keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

BUDGETS = "/api/admin/budgets"


def overview(client: PageClient) -> Any:
    response = client.get("/api/admin/overview")
    assert response.status_code == 200
    return response.json


def attempt(user: User, state: str, at: datetime, error: str | None = None) -> Attempt:
    ids = dict.fromkeys(("request_id", "provider_id"), "x")
    words = {"channel": "web", "model": "m", "address": ""}
    terms = {"prompt_estimate": 1, "state": state, "error_code": error, "created_at": at}
    return Attempt(id=new_id(), user_id=user.id, **ids, **words, **terms)


def test_what_is_left_of_the_sites_budgets_is_told(admin_client: PageClient, member: User) -> None:
    assert overview(admin_client)["budgets"] == []
    for place in ({"scope": "site"}, {"scope": "user", "scope_id": member.id}):
        assert admin_client.post(BUDGETS, json=place | {"period": "day", "limit": 1000}).status_code == 201
    (budget,) = overview(admin_client)["budgets"]
    assert (budget["scope"], budget["unit"], budget["left"], budget["limit"]) == ("site", "tokens", 1000, 1000)


def test_how_many_requests_to_providers_failed_today_is_told(admin_client: PageClient, member: User) -> None:
    now = utc_now()
    ledger.write(ledger.entry(member.id, now) for _ in range(3))
    with transaction() as session:
        session.add(attempt(member, "released", now, "upstream_busy"))
        session.add(attempt(member, "dispatched", now))
        session.add(attempt(member, "released", now - timedelta(days=1), "upstream_busy"))
    seen = overview(admin_client)
    assert (seen["attempts"], seen["failed"]) == (4, 1)


@pytest.mark.unsound_ledger("attempts that are settled without an entry")
def test_of_many_requests_to_providers_the_latest_thousand_are_looked_at(
    admin_client: PageClient, member: User
) -> None:
    now = utc_now()
    failed = {*range(4), *range(1000, 1010)}  # the last four, and those of before the last thousand
    with transaction() as session:
        for number in range(2010):
            state, error = "settled" if number % 2 else "released", "upstream_busy" if number in failed else None
            session.add(attempt(member, state, now - timedelta(microseconds=number), error))
    seen = overview(admin_client)
    assert (seen["attempts"], seen["failed"]) == (1000, 4)


def test_each_key_that_needs_attention_is_named(admin_client: PageClient) -> None:
    provider = keep_provider("Elsewhere", "https://api.example.com", models=["m"])
    for name in ("works", "refused"):
        keep_key(provider, name)
    keep_key(provider, "off", disabled=True, benched_until=utc_now() + timedelta(hours=1))
    assert overview(admin_client)["troubled"] == []
    taken = benches.take(provider)
    benches.fail(taken, benches.failing("upstream_key_refused"))
    (key,) = overview(admin_client)["troubled"]
    assert key["id"] in {"works", "refused"}
    assert (key["state"], key["code"], key["provider"]) == ("benched", "upstream_key_refused", "Elsewhere")
    assert key["message"]
    change_key(key["id"], benched_until=utc_now() - timedelta(seconds=1))
    assert [each["state"] for each in overview(admin_client)["troubled"]] == ["due"], "nobody has accepted it since"


@pytest.mark.parametrize(
    ("schema", "state", "code"), [("0001", "bad", "schema_older"), ("9999", "warning", "schema_newer")]
)
def test_it_says_whether_the_tables_are_those_of_this_version(
    admin_client: PageClient, schema: str, state: str, code: str
) -> None:
    newest = system_service.schema().facts["newest"]
    seen = overview(admin_client)
    assert (seen["version"], seen["schema"]["state"], seen["schema"]["code"]) == (config.VERSION, "ok", "schema_ok")
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": schema})
    try:
        told = overview(admin_client)["schema"]
        assert (told["state"], told["code"], told["facts"]) == (state, code, {"schema": schema, "newest": newest})
    finally:
        with transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": newest})


def test_the_number_of_queries_does_not_grow(
    admin_client: PageClient,
    member: User,
    upstream: ScriptedUpstream,
    query_count: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    provider = keep_provider("Elsewhere", upstream.base_url, models=["elsewhere-1"])
    keep_key(provider, "first", benched_until=utc_now(), bench_code="upstream_busy")
    admin_client.post(BUDGETS, json={"scope": "site", "period": "day", "limit": 1000})
    overview(admin_client)
    with query_count() as few:
        overview(admin_client)
    for number in range(5):
        keep_key(provider, f"key {number}", benched_until=utc_now(), bench_code="upstream_busy")
    for period in ("week", "month"):
        admin_client.post(BUDGETS, json={"scope": "site", "period": period, "limit": 1000})
    with query_count() as many:
        seen = overview(admin_client)
    assert (len(seen["troubled"]), len(seen["budgets"])) == (6, 3)
    assert len(many) == len(few)


def test_failures_are_counted_from_an_index(admin_client: PageClient, query_count: Any) -> None:
    """The ledger and its attempts grow for years."""
    with query_count() as statements:
        overview(admin_client)
    (counting,) = (each for each in statements if "proxy_logs" in each and "count" in each)
    with reading() as session:
        if session.get_bind().dialect.name == "sqlite":
            filled = counting.replace("?", "'2026-01-01'")
            plan = " ".join(str(row) for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {filled}"))
            assert "USING COVERING INDEX" in plan
            assert "SCAN proxy_logs" not in plan
