"""Prices that make no sense, come too late or are somebody else's to set: refused, and nothing is changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import reading, utc_now
from flask_app.models import AuditEntry, Tariff, User
from tests.support import ledger
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
    put,
)
from tests.support.clients import PageClient
from tests.support.keys import keep_provider


def test_what_is_in_force_stays(admin_client: PageClient) -> None:
    current = line_of(add(admin_client))["tariffs"][0]["id"]
    for tariff_id in (current, "deepseek-flash.CNY.2026-09-10", "deepseek-v4-flash.CNY.2026-08-17"):
        for response in (put(admin_client, tariff_id), admin_client.delete(f"{TARIFFS}/{tariff_id}")):
            assert (response.status_code, code_of(response)) == (409, "price_in_force")


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"model": "m"}, True),
        ({"model": "other", "actual_model": "m"}, True),
        ({"model": "other"}, False),
        ({"model": "m", "before": 3600}, False),
        ({"model": "m", "currency": "USD"}, False),
    ],
)
def test_the_past_is_open_only_where_nothing_was_booked(
    admin_client: PageClient, member: User, fields: dict[str, Any], refused: bool
) -> None:
    start = utc_now() - timedelta(minutes=30)
    provider = keep_provider("P", "https://p.example.com", currency=fields.pop("currency", "CNY"))
    moment = start + timedelta(minutes=1) - timedelta(seconds=fields.pop("before", 0))
    ledger.write([ledger.entry(member.id, moment, provider_id=provider, **fields)])
    response = add(admin_client, starts_at=start.isoformat())
    assert response.status_code == (409 if refused else 201)
    if refused:
        assert code_of(response) == "price_in_the_past"
        with reading() as session:
            assert session.scalars(select(Tariff).where(Tariff.model == "m")).all() == []


def test_two_prices_cannot_begin_together(admin_client: PageClient) -> None:
    assert add(admin_client, starts_at=LATER).status_code == 201
    again = add(admin_client, starts_at=f"{YEAR - 1}-12-31T16:00:00Z")
    assert (again.status_code, code_of(again)) == (409, "price_exists")
    other = line_of(add(admin_client, starts_at=f"{YEAR}-02-01T00:00:00Z"))["tariffs"][0]
    moved = put(admin_client, other["id"], starts_at=LATER)
    assert (moved.status_code, code_of(moved)) == (409, "price_exists")
    assert add(admin_client, starts_at=LATER, currency="USD").status_code == 201


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"prices": PRICES | {"output": "-1"}}, "bad_price"),
        ({"prices": PRICES | {"output": "0.0000001"}}, "bad_price"),
        ({"prices": PRICES | {"output": "1,5"}}, "bad_price"),
        ({"prices": PRICES | {"output": ""}}, "bad_price"),
        ({"prices": PRICES | {"output": 1.5}}, "invalid_field"),
        ({"thousand_requests": "0.0001"}, "bad_request_price"),
        ({"thousand_requests": "-5"}, "bad_price"),
        ({"prices": {"output": "1"}}, "invalid_field"),
        ({"peak": PEAK | {"prices": HIGH | {"output": "x"}}}, "bad_price"),
        ({"peak": {"prices": HIGH}}, "invalid_field"),
        ({"peak": PEAK | {"calendar": CALENDAR | {"weekdays": []}}}, "bad_weekdays"),
        ({"peak": PEAK | {"calendar": CALENDAR | {"hours": [["12:00", "09:00"]]}}}, "bad_hours"),
        ({"peak": PEAK | {"calendar": CALENDAR | {"timezone": "Mars/Olympus"}}}, "unknown_timezone"),
        ({"peak": PEAK | {"calendar": CALENDAR | {"timezone": "posix/Asia/Shanghai"}}}, "unknown_timezone"),
        ({"peak": PEAK | {"calendar": CALENDAR | {"timezone": "Factory"}}}, "unknown_timezone"),
        ({"peak": PEAK | {"calendar": CALENDAR | {"holidays": "XX"}}}, "unknown_country"),
        ({"peak": PEAK | {"calendar": CALENDAR | {"peak_days": ["2026-13-01"]}}}, "invalid_field"),
        ({"peak": PEAK | {"calendar": CALENDAR | {"peak_days": ["2026-01-01"] * 101}}}, "invalid_field"),
        ({"currency": "yuan"}, "bad_currency"),
        ({"model": " "}, "bad_model_name"),
        ({"model": "a\nb"}, "bad_model_name"),
        ({"model": "x" * 129}, "bad_model_name"),
        ({"starts_at": "2027-01-01T00:00:00"}, "invalid_field"),
        ({"starts_at": "0001-01-01T00:00:00+23:00"}, "bad_start"),
        ({"starts_at": "9999-12-31T23:59:59-23:00"}, "bad_start"),
        ({"colour": "red"}, "invalid_field"),
    ],
)
def test_a_price_without_sense_is_refused(admin_client: PageClient, fields: dict[str, Any], code: str) -> None:
    response = add(admin_client, **fields)
    assert (response.status_code, code_of(response)) == (422, code)
    with reading() as session:
        assert session.scalars(select(Tariff).where(Tariff.model.not_like("deepseek%"))).all() == []
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "tariff.add")).all() == []


def test_the_longest_calendar_fits(admin_client: PageClient) -> None:
    days = [(datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=n)).date().isoformat() for n in range(200)]
    calendar = {
        "timezone": "America/Argentina/ComodRivadavia",
        "weekdays": list(range(7)),
        "hours": [[f"{hour:02}:00", f"{hour:02}:59"] for hour in range(12)],
        "holidays": "AR",
        "peak_days": days[:100],
        "off_peak_days": days[100:],
    }
    response = add(admin_client, peak={"prices": HIGH, "calendar": calendar})
    assert line_of(response)["tariffs"][0]["peak"]["calendar"] == calendar


@pytest.mark.parametrize(
    ("method", "path"), [("get", TARIFFS), ("post", TARIFFS), ("put", f"{TARIFFS}/x"), ("delete", f"{TARIFFS}/x")]
)
def test_only_administrators_reach_the_prices(
    client: PageClient, member_client: PageClient, method: str, path: str
) -> None:
    for browser, status in ((client, 401), (member_client, 403)):
        response = getattr(browser, method)(path, json={"model": "m", "currency": "CNY", "prices": PRICES})
        assert response.status_code == status


@pytest.mark.parametrize("tariff_id", ["x", "编号", "01m895sss4q97tkgfzatypsa6e"])
def test_an_absent_price_is_not_found(admin_client: PageClient, tariff_id: str) -> None:
    assert put(admin_client, tariff_id).status_code == 404
    assert admin_client.delete(f"{TARIFFS}/{tariff_id}").status_code == 404
