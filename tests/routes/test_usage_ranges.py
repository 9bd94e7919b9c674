"""Reports of a range, and use told apart: one's own, and everybody's for administrators."""

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from flask_app.database import transaction
from flask_app.models import DEFAULT_GROUP_ID, AccessToken, User
from flask_app.services.usage import record_counts
from flask_app.services.usage.record_search import Filter
from flask_app.services.usage.stats_service import DateRange
from tests.support import ledger
from tests.support.clients import PageClient

OWN = "/api/usage/report", "/api/usage/groups", "/api/usage/groups/export"
SITE = "/api/admin/report", "/api/admin/usage", "/api/admin/usage/export"
TOKENS = "/api/usage/tokens", "/api/usage/tokens/export", "/api/admin/usage/tokens", "/api/admin/usage/tokens/export"
MOMENT = datetime(2026, 11, 24, 16, tzinfo=UTC)  # the 25th in Beijing
THE_25TH = {"from": "2026-11-25", "to": "2026-11-25"}


@pytest.fixture(autouse=True)
def entries(member: User, admin: User) -> None:
    ledger.write(
        [
            ledger.entry(member.id, MOMENT, peak=True, peak_extra_micros=40),
            ledger.entry(member.id, MOMENT, model="=1+1", currency="USD", cache_saved_micros=0),
            ledger.entry(admin.id, MOMENT, channel="api"),
            ledger.entry(member.id, datetime(2026, 11, 23, 16, tzinfo=UTC)),
        ]
    )


def get(client: PageClient, url: str, **query: str) -> Any:
    response = client.get(f"{url}?{urlencode(query)}")
    assert response.status_code == 200, response.text
    return response.json


def table(client: PageClient, url: str, **query: str) -> list[dict[str, str]]:
    response = client.get(f"{url}?{urlencode(query)}")
    assert response.status_code == 200, response.text
    assert response.content_type == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Africa/Monrovia", "1971-05-01"),  # 44 minutes and a half behind UTC
        ("Pacific/Kiritimati", "1976-07-01"),  # 10 hours and 40 minutes behind
        ("America/St_Johns", "2010-11-07"),  # at a minute past midnight an hour of the day before began again
    ],
)
def test_a_day_that_began_within_a_quarter_of_an_hour_is_answered(
    member_client: PageClient, admin_client: PageClient, zone: str, day: str
) -> None:
    for client, urls in ((member_client, OWN[:2]), (admin_client, SITE[:2])):
        assert client.patch("/api/me", json={"timezone": zone}).status_code == 200
        for by in ("day", "month"):
            (row,) = get(client, urls[1], by=by, **{"from": day, "to": day})["rows"]
            assert (row["key"], row["requests"]) == (day if by == "day" else day[:7], 0)
        assert get(client, urls[0], **{"from": day, "to": day})["sum"]["requests"] == 0


def test_a_day_that_a_zone_left_out_has_no_use(member_client: PageClient) -> None:
    assert member_client.patch("/api/me", json={"timezone": "Pacific/Apia"}).status_code == 200
    left_out = {"from": "2011-12-30", "to": "2011-12-30"}
    assert get(member_client, OWN[0], **left_out)["sum"]["requests"] == 0
    assert get(member_client, OWN[1], **left_out)["rows"] == []
    assert table(member_client, OWN[2], **left_out) == []


def test_a_report_has_the_range_the_time_before_and_the_price(member_client: PageClient) -> None:
    report = get(member_client, OWN[0], **THE_25TH)
    assert (report["from"], report["to"], report["unit"], report["timezone"]) == (
        "2026-11-25",
        "2026-11-25",
        "hour",
        "Asia/Shanghai",
    )
    assert (report["sum"]["requests"], report["before"]["sum"]["requests"]) == (2, 1)
    assert (report["before"]["from"], report["before"]["to"]) == ("2026-11-24", "2026-11-24")
    assert report["peak_tokens"] == 150
    assert report["cache_saved"] == [{"currency": "CNY", "micros": 300}, {"currency": "USD", "micros": 0}]
    assert report["peak_extra"] == [{"currency": "CNY", "micros": 40}, {"currency": "USD", "micros": 0}]
    assert [bar["requests"] for bar in report["bars"]] == [2] + [0] * 23
    assert set(report["presets"]) == {"today", "days_7", "days_30", "week", "month", "last_month", "year", "all"}
    assert report["presets"]["all"]["from"] == "2026-11-24"


def test_ones_own_use_is_told_apart_and_nobody_elses(member_client: PageClient, member: User, admin: User) -> None:
    for query in ({}, {"user": admin.id}, {"user_id": admin.id}):
        rows = get(member_client, OWN[1], by="channel", **THE_25TH, **query)["rows"]
        assert [(row["key"], row["requests"]) for row in rows] == [("chat", 2)]
    rows = get(member_client, OWN[1], **THE_25TH)["rows"]
    assert sorted(row["key"] for row in rows) == ["=1+1", "deepseek-flash"]
    assert get(member_client, OWN[1], by="month", **THE_25TH)["rows"][0]["key"] == "2026-11"


def test_ones_own_year_is_told_apart_too(member_client: PageClient, member: User, admin: User) -> None:
    """Months come from blocks of 32 days."""
    for person in (member, admin):
        ledger.write(
            ledger.entry(
                person.id, datetime(2025, month, 10, 4, tzinfo=UTC), model="ab"[month % 2], peak=month % 3 == 0
            )
            for month in range(1, 11)
        )
    year = {"from": "2025-01-01", "to": "2025-10-31"}
    assert get(member_client, OWN[0], **year)["peak_tokens"] == 3 * 150
    rows = get(member_client, OWN[1], **year)["rows"]
    assert sorted((row["key"], row["requests"]) for row in rows) == [("a", 5), ("b", 5)]
    assert get(member_client, OWN[1], by="channel", **year)["rows"][0]["requests"] == 10
    dates = DateRange(date(2025, 1, 1), date(2025, 10, 31))
    assert record_counts.expected(member, Filter(model="a", dates=dates), member.id) == 5
    assert record_counts.expected(admin, Filter(model="a", dates=dates)) == 10


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"])
def test_ten_years_are_told_in_zones_off_the_full_hour(admin_client: PageClient, zone: str) -> None:
    """By more questions than SQLite takes at once."""
    assert admin_client.patch("/api/me", json={"timezone": zone}).status_code == 200
    years = {"from": "2017-01-01", "to": "2026-12-31"}
    for by in ("hour", "day", "month"):
        rows = get(admin_client, SITE[1], by=by, **years)["rows"]
        assert sum(row["requests"] for row in rows) == 4
    assert get(admin_client, SITE[0], **years)["sum"]["requests"] == 4


def test_everybodys_use_is_told_apart_for_administrators(admin_client: PageClient, member: User) -> None:
    assert get(admin_client, SITE[0], **THE_25TH)["sum"]["requests"] == 3
    rows = get(admin_client, SITE[1], by="group", **THE_25TH)["rows"]
    assert [(row["key"], row["label"], row["requests"]) for row in rows] == [(DEFAULT_GROUP_ID, "所有人", 3)]
    rows = get(admin_client, SITE[1], by="channel", **THE_25TH)["rows"]
    assert [(row["key"], row["requests"]) for row in rows] == [("chat", 2), ("api", 1)]


def test_a_table_has_the_same_figures_and_no_formula(member_client: PageClient, admin_client: PageClient) -> None:
    own, unpriced_in_usd = table(member_client, OWN[2], by="model", **THE_25TH)[::-1]
    assert (own["model"], own["requests"], own["cost_micros_CNY"]) == ("deepseek-flash", "1", "1000")
    assert (unpriced_in_usd["model"], unpriced_in_usd["cost_micros_USD"]) == ("'=1+1", "1000")
    days = table(member_client, OWN[2], by="day", **{"from": "2026-11-23", "to": "2026-11-25"})
    assert [(day["day"], day["requests"]) for day in days] == [
        ("2026-11-23", "0"),
        ("2026-11-24", "1"),
        ("2026-11-25", "2"),
    ]
    people = table(admin_client, SITE[2], by="user", **THE_25TH)
    assert [(row["name"], row["total_tokens"]) for row in people] == [("member", "300"), ("admin", "150")]


@pytest.mark.parametrize("url", [*OWN, *SITE])
def test_signed_out_there_is_nothing(client: PageClient, url: str) -> None:
    response = client.get(url)
    assert response.status_code == 401
    assert response.json is not None
    assert response.json["error"]["code"] == "sign_in_required"


@pytest.mark.parametrize("url", SITE)
def test_everybodys_use_is_nothing_for_a_member(member_client: PageClient, url: str) -> None:
    assert member_client.get(url).status_code == 403


@pytest.mark.parametrize("url", [*OWN, *SITE])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=yesterday", "bad_date"),
        ("to=2026-02-30", "bad_date"),
        ("from=2026-1-1", "bad_date"),
        ("to=0001-01-01", "bad_date"),
        ("from=2026-11-25&to=2026-11-24", "backwards_range"),
    ],
)
def test_a_range_without_sense_is_refused(
    member_client: PageClient, admin_client: PageClient, url: str, query: str, code: str
) -> None:
    response = (member_client if url in OWN else admin_client).get(f"{url}?{query}")
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["code"] == code
    assert response.json["error"]["message"]


@pytest.mark.parametrize("url", [*OWN[1:], *SITE[1:]])
def test_an_unknown_grouping_is_refused(member_client: PageClient, admin_client: PageClient, url: str) -> None:
    client, unknown = (member_client, "user") if url in OWN else (admin_client, "colour")
    response = client.get(f"{url}?by={unknown}")
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["code"] == "unknown_grouping"


@pytest.mark.parametrize(("path", "name"), [("/dashboard", "dashboard-state"), ("/admin", "admin-state")])
def test_a_page_starts_with_the_range_of_its_address(admin_client: PageClient, path: str, name: str) -> None:
    page = admin_client.get(f"{path}?{urlencode(THE_25TH)}")
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page.text, re.S)
    assert found
    state = json.loads(found[1])
    url = OWN[0] if path == "/dashboard" else SITE[0]
    assert state["report"] == get(admin_client, url, **THE_25TH)
    if path == "/dashboard":
        assert [record["channel"] for record in state["records"]] == ["api"]


@pytest.mark.parametrize("path", ["/dashboard", "/admin"])
def test_a_page_says_what_is_wrong_with_a_range(admin_client: PageClient, path: str) -> None:
    page = admin_client.get(
        f"{path}?from=2026-11-25&to=2026-11-24", headers={"Accept": "text/html", "Accept-Language": "en"}
    )
    assert page.status_code == 400
    assert "Swap them" in page.text


@pytest.fixture
def used(member: User, admin: User) -> None:
    """A token each, used on two days by the member and on one by the administrator; the refund of one answer."""
    with transaction() as session:
        for person in (member, admin):
            terms = {"id": f"of {person.username}", "user_id": person.id, "digest": person.id, "hint": ""}
            session.add(AccessToken(name="scripts", **terms))
    early, late = date(2026, 11, 24), date(2026, 11, 25)
    entries: list[tuple[User, date, dict[str, Any]]] = [
        (member, early, {}),
        (member, late, {}),
        (member, late, {"kind": "refund", "prompt_tokens": -100, "completion_tokens": -50, "cost_micros": -1000}),
        (member, late, {"currency": None, "cost_micros": None}),
        (admin, late, {"currency": "USD"}),
    ]
    ledger.write(
        ledger.entry(who.id, MOMENT, channel="api", token_id=f"of {who.username}", day=day, **fields)
        for who, day, fields in entries
    )


@pytest.mark.unsound_ledger("a refund of nothing")
def test_use_is_told_apart_by_access_token(member_client: PageClient, admin_client: PageClient, used: None) -> None:
    own = {"key": "of member", "label": "scripts", "total_tokens": 300, "costs": [{"currency": "CNY", "micros": 1000}]}
    assert get(member_client, TOKENS[0])["rows"] == [own]
    others = {"key": "of admin", "label": "scripts · admin", "total_tokens": 150}
    rows = get(admin_client, TOKENS[2])["rows"]
    assert rows == [own | {"label": "scripts · member"}, others | {"costs": [{"currency": "USD", "micros": 1000}]}]
    assert get(member_client, TOKENS[0], **THE_25TH)["rows"][0]["total_tokens"] == 150
    assert get(member_client, TOKENS[0], to="2026-11-23")["rows"] == []
    (row,) = table(member_client, TOKENS[1])
    assert row == {"token": "of member", "name": "scripts", "total_tokens": "300", "cost_micros_CNY": "1000"}
    assert [row["name"] for row in table(admin_client, TOKENS[3])] == ["scripts · member", "scripts · admin"]


@pytest.mark.parametrize("url", TOKENS)
def test_use_by_token_is_ones_own_or_an_administrators(
    client: PageClient, member_client: PageClient, admin_client: PageClient, url: str
) -> None:
    assert client.get(url).status_code == 401
    assert member_client.get(url).status_code == (403 if "admin" in url else 200)
    refused = admin_client.get(f"{url}?from=2026-11-25&to=2026-11-24")
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "backwards_range")  # type: ignore[index]


@pytest.mark.unsound_ledger("a refund of nothing")
def test_queries_do_not_grow_with_tokens(
    member: User, member_client: PageClient, used: None, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    get(member_client, TOKENS[0])
    with query_count() as few:
        get(member_client, TOKENS[0])
    with transaction() as session:
        for number in range(20):
            session.add(AccessToken(id=f"t{number}", user_id=member.id, name="t", digest=f"t{number}", hint=""))
    day = date(2026, 11, 25)
    ledger.write(ledger.entry(member.id, MOMENT, channel="api", token_id=f"t{number}", day=day) for number in range(20))
    with query_count() as many:
        assert len(get(member_client, TOKENS[0])["rows"]) == 21
    assert len(many) == len(few)
