"""/api/usage and /dashboard: one's own use, and nobody else's."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flask_app.database import fetching, first_id, new_id, reading, utc_now
from flask_app.domain.events import Usage
from flask_app.models import Attempt, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.tariffs import tariff_service
from tests.conftest import MakeUser, SignIn
from tests.support import ledger
from tests.support.clients import PageClient

SUMMARY, RECORDS = "/api/usage/summary", "/api/usage/records"


def get(client: PageClient, url: str) -> Any:
    response = client.get(url)
    assert response.status_code == 200, response.text
    return response.json


def test_the_summary_counts_ones_own_entries(member: User, admin: User, member_client: PageClient) -> None:
    now = utc_now()
    ledger.write([ledger.entry(member.id, now), ledger.entry(admin.id, now)])
    summary = get(member_client, SUMMARY)
    assert summary["timezone"] == "Asia/Shanghai"
    assert summary["today"] == {
        "requests": 1,
        "refunds": 0,
        "prompt_tokens": 100,
        "cached_tokens": 60,
        "completion_tokens": 50,
        "reasoning_tokens": 20,
        "total_tokens": 150,
        "estimated_requests": 0,
        "unpriced_requests": 0,
        "costs": [{"currency": "CNY", "micros": 1000}],
    }
    assert summary["today"] == summary["week"] == summary["month"] == summary["total"]
    assert len(summary["days"]) == 30
    assert {"date", *summary["today"]} == set(summary["days"][-1])
    assert summary["days"][-1]["requests"] == 1


def test_without_use_everything_is_zero(member_client: PageClient) -> None:
    summary = get(member_client, SUMMARY)
    assert summary["total"]["requests"] == summary["total"]["total_tokens"] == 0
    assert summary["total"]["costs"] == []
    assert get(member_client, RECORDS) == {"records": [], "next": None}


def test_records_come_page_by_page_each_once_the_newest_first(member: User, member_client: PageClient) -> None:
    written = ledger.write(ledger.entry(member.id, utc_now()) for _ in range(7))
    seen: list[str] = []
    before: Any = ""
    for _ in range(3):
        page = get(member_client, f"{RECORDS}?limit=3&before={before}")
        seen += [record["id"] for record in page["records"]]
        before = page["next"]
    assert before is None
    assert seen == ledger.newest_first(written)


def test_a_page_that_ends_with_the_last_record_is_the_last(member: User, member_client: PageClient) -> None:
    ledger.write(ledger.entry(member.id, utc_now()) for _ in range(3))
    assert get(member_client, f"{RECORDS}?limit=3")["next"] is None


def test_a_record_says_what_was_asked_what_answered_and_what_it_cost(member: User, member_client: PageClient) -> None:
    (written,) = ledger.write([ledger.entry(member.id, utc_now(), actual_model="deepseek-flash-2")])
    with reading() as session:
        attempt = session.get_one(Attempt, written.attempt_id)
    (record,) = get(member_client, RECORDS)["records"]
    assert record == {
        "id": written.id,
        "kind": "usage",
        "created_at": written.created_at.isoformat().replace("+00:00", "Z"),
        "channel": "chat",
        "model": "deepseek-flash",
        "actual_model": "deepseek-flash-2",
        "provider": None,
        "provenance": "reported",
        "source": "reported",
        "outcome": "complete",
        "attempts": 1,
        "prompt_tokens": 100,
        "cached_tokens": 60,
        "completion_tokens": 50,
        "reasoning_tokens": 20,
        "total_tokens": 150,
        "cost_micros": 1000,
        "currency": "CNY",
        "free": False,
        "peak": False,
        "price": None,
        "first_token_ms": 300,
        "duration_ms": 1200,
        "refunded_at": None,
        "reason": None,
        "request_id": attempt.request_id,
        "attempt_id": written.attempt_id,
        "token_name": None,
        "unread": False,
    }


def test_a_record_says_what_its_price_is_made_of(member: User, member_client: PageClient) -> None:
    moment = datetime(2026, 11, 25, 3, tzinfo=UTC)  # a peak hour
    with fetching() as connection:
        priced = tariff_service.price("deepseek-flash", "CNY", moment, connection)
    assert priced is not None
    usage = Usage(1_000, 600, 50, 20)
    counts = {"prompt_tokens": 1_000, "cached_tokens": 600, "completion_tokens": 50}
    ledger.write(
        [
            ledger.entry(
                member.id, moment, peak=True, cost_micros=priced.cost(usage), tariff_id=priced.tariff_id, **counts
            )
        ]
    )
    (record,) = get(member_client, RECORDS)["records"]
    assert record["price"]["tariff_id"] == priced.tariff_id
    assert [(part["kind"], part["tokens"], part["price"], part["micros"]) for part in record["price"]["parts"]] == [
        ("input_hit", 600, "0.04", 24),
        ("input_miss", 400, "2", 800),
        ("output", 50, "8", 400),
    ]
    assert record["cost_micros"] == 24 + 800 + 400


def test_nobody_sees_another_persons_records(
    member: User, member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    (foreign,) = ledger.write([ledger.entry(member.id, utc_now())])
    other = sign_in(make_user("other"))
    assert get(member_client, RECORDS)["records"], "the record must exist for its owner"
    for query in ("", f"?user={member.id}", f"?user_id={member.id}"):
        assert get(other, RECORDS + query)["records"] == []
    for cursor in ("z" * 26, foreign.id):
        assert other.get(f"{RECORDS}?before={cursor}").json["error"]["code"] == "bad_cursor"  # type: ignore[index]
    assert get(other, SUMMARY)["total"]["requests"] == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "bad_limit"),
        ("limit=201", "bad_limit"),
        ("limit=999999999", "bad_limit"),
        ("limit=9999999999", "bad_number"),
        ("limit=-1", "bad_number"),
        ("limit=1e3", "bad_number"),
        ("limit=٣", "bad_number"),
        ("before=zzz", "bad_cursor"),
        ("before=' OR 1=1 --", "bad_cursor"),
        ("before=" + "z" * 27, "bad_cursor"),
        ("before=" + "Z" * 26, "bad_cursor"),
        ("before=" + "z" * 25 + "%0A", "bad_cursor"),
    ],
)
def test_a_bad_page_is_refused(member_client: PageClient, query: str, code: str) -> None:
    response = member_client.get(f"{RECORDS}?{query}")
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["code"] == code
    assert response.json["error"]["message"]


@pytest.mark.parametrize("url", [SUMMARY, RECORDS])
def test_signed_out_there_is_nothing(client: PageClient, url: str) -> None:
    response = client.get(url)
    assert response.status_code == 401
    assert response.json is not None
    assert response.json["error"]["code"] == "sign_in_required"


def test_the_number_of_queries_does_not_grow(
    member: User, member_client: PageClient, query_count: Callable[[], Any]
) -> None:
    def ask() -> None:
        get(member_client, SUMMARY)
        get(member_client, RECORDS)

    ask()
    with query_count() as few:
        ask()
    ledger.write(ledger.entry(member.id, utc_now() - timedelta(hours=n)) for n in range(60))
    with query_count() as many:
        ask()
    assert len(many) == len(few)


def test_the_dashboard_starts_with_what_the_api_says(member: User, member_client: PageClient) -> None:
    ledger.write(ledger.entry(member.id, utc_now(), model="<script>") for _ in range(60))
    budget_admin_service.add(Actor(None), Place(scope="site", period="day"), 1000)
    page = member_client.get("/dashboard")
    assert page.status_code == 200
    found = re.search(r'<script type="application/json" id="dashboard-state">(.*?)</script>', page.text, re.S)
    assert found
    assert "<" not in found[1]
    state = json.loads(found[1])
    records = get(member_client, RECORDS)
    assert (state["records"], state["next"]) == (records["records"], records["next"])
    assert state["summary"]["total"] == get(member_client, SUMMARY)["total"]
    assert state["budgets"] == get(member_client, "/api/budgets")["budgets"]
    assert [budget["limit"] for budget in state["budgets"]] == [1000]


def test_the_dashboard_asks_a_stranger_to_sign_in(client: PageClient) -> None:
    response = client.get("/dashboard", headers={"Accept": "text/html"})
    assert response.status_code == 302
    assert response.location == "/login?next=/dashboard"


def test_a_record_of_the_local_model_is_free(member: User, member_client: PageClient) -> None:
    ledger.write([ledger.entry(member.id, utc_now(), model="SmolLM2", cost_micros=None, currency=None, peak=None)])
    (record,) = get(member_client, RECORDS)["records"]
    assert (record["free"], record["cost_micros"]) == (True, None)


def test_a_key_is_not_less_than_the_first_of_its_moment() -> None:
    before, made, after = first_id(utc_now()), new_id(), first_id(utc_now() + timedelta(seconds=1))
    assert before <= made < after
    assert len(before) == len(made)
