"""From which year on prices go by holidays that are not sure, and that administrators and operators are told."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from flask_app.database import transaction, utc_now
from flask_app.models import ChatModel, Tariff
from flask_app.services.tariffs import holiday_doubts, tariff_list_service
from flask_app.services.tariffs.holiday_doubts import Doubt
from scripts.generate_holidays import YEARS
from tests.support import administered_prices, prices
from tests.support.clients import PageClient
from tests.support.keys import keep_provider

CALENDAR = {"timezone": "Asia/Shanghai", "weekdays": [0], "hours": [["09:00", "12:00"]]}
LAST = YEARS[-1]


@pytest.fixture(autouse=True)
def listed(app: Flask) -> None:
    """The model whose price it is."""
    keep_provider("somebody", "https://somebody.example.com", models=["m"])


def doubts(now: datetime) -> list[Doubt]:
    return holiday_doubts.of(tariff_list_service.listed(now), now)


def put(country: str, *, starts_at: datetime = datetime(2026, 1, 1, tzinfo=UTC), **days: list[str]) -> None:
    """A price with other hours than those on the country's holidays, instead of all that there were."""
    with transaction() as session:
        session.execute(delete(Tariff))
    add(country, starts_at=starts_at, **days)


def add(country: str, *, starts_at: datetime, **days: list[str]) -> None:
    """A price from then on, beside those that there are."""
    tariff_id = prices.put("m", 1, starts_at=starts_at)
    with transaction() as session:
        tariff = session.get_one(Tariff, tariff_id)
        tariff.calendar = json.dumps(CALENDAR | {"holidays": country} | days)


# Days begin at 16:00 UTC in Shanghai (UTC+8).
@pytest.mark.parametrize(
    ("now", "year", "soon"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), 2027, False),
        (datetime(2026, 12, 1, 15, 59, tzinfo=UTC), 2027, False),
        (datetime(2026, 12, 1, 16, 0, tzinfo=UTC), 2027, True),
        (datetime(2027, 3, 1, tzinfo=UTC), 2027, True),
        (datetime(2030, 3, 1, tzinfo=UTC), 2030, True),
    ],
    ids=str,
)
def test_a_year_that_is_not_arranged_is_doubtful(app: Flask, now: datetime, year: int, soon: bool) -> None:
    put("CN")
    assert doubts(now) == [Doubt("CN", year, known=True, soon=soon)]


def test_beyond_the_file_no_country_is_known(app: Flask) -> None:
    put("US")
    assert doubts(datetime(2026, 3, 1, tzinfo=UTC)) == [Doubt("US", LAST + 1, known=False, soon=False)]
    put("CN", off_peak_days=[f"{year}-02-01" for year in range(2027, LAST + 1)])
    assert doubts(datetime(2026, 3, 1, tzinfo=UTC)) == [Doubt("CN", LAST + 1, known=False, soon=False)]


def test_days_of_its_own_make_up_for_a_year(app: Flask) -> None:
    put("CN", peak_days=["2027-02-14"])
    assert doubts(datetime(2027, 3, 1, tzinfo=UTC)) == [Doubt("CN", 2028, known=True, soon=False)]


def test_only_prices_in_use_are_looked_at(app: Flask) -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    put("")
    assert doubts(now) == []
    put("CN")
    prices.put("m", 1, starts_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert doubts(now) == []
    put("CN", starts_at=datetime(2028, 1, 1, tzinfo=UTC))
    assert [doubt.country for doubt in doubts(now)] == ["CN"], "it is planned"


def test_a_price_that_ends_before_the_year_is_not_doubtful(app: Flask) -> None:
    now = datetime(2026, 12, 10, tzinfo=UTC)
    new_year = datetime(2026, 12, 31, 16, tzinfo=UTC)  # in Shanghai
    put("CN")
    add("CN", starts_at=new_year, off_peak_days=["2027-02-06"])
    assert doubts(now) == [Doubt("CN", 2028, known=True, soon=False)]
    put("CN")
    prices.put("m", 1, starts_at=new_year)
    assert doubts(now) == [], "the next has no calendar"
    put("CN")
    prices.put("m", 1, starts_at=new_year + timedelta(minutes=1))
    assert doubts(now) == [Doubt("CN", 2027, known=True, soon=True)], "a minute of the year is its"


def test_a_planned_price_is_looked_at_from_its_first_day_on(app: Flask) -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    put("CN", starts_at=datetime(2028, 5, 31, 16, tzinfo=UTC))
    assert doubts(now) == [Doubt("CN", 2028, known=True, soon=False)]
    first_warned = datetime(2028, 5, 1, 16, tzinfo=UTC)
    assert [doubt.soon for doubt in doubts(first_warned - timedelta(minutes=1))] == [False]
    assert [doubt.soon for doubt in doubts(first_warned)] == [True]
    add("CN", starts_at=datetime(2028, 1, 31, 16, tzinfo=UTC), peak_days=["2028-02-05"])
    assert doubts(first_warned) == [Doubt("CN", 2028, known=True, soon=True)], "the one before has days of its own"
    put("CN", starts_at=datetime(2028, 5, 31, 16, tzinfo=UTC), peak_days=["2028-06-03"])
    assert doubts(now) == [Doubt("CN", 2029, known=True, soon=False)]


def test_of_two_prices_in_one_year_the_nearer_is_told(app: Flask) -> None:
    put("CN", peak_days=["2026-02-14"])
    add("CN", starts_at=datetime(2027, 6, 1, tzinfo=UTC))
    assert doubts(datetime(2026, 12, 10, tzinfo=UTC)) == [Doubt("CN", 2027, known=True, soon=True)]


@pytest.mark.parametrize("fields", [{"listed": False}, {"name": "another"}, {"provider_id": "of dollars"}], ids=str)
def test_only_what_a_listed_model_is_billed_by_counts(app: Flask, fields: dict[str, Any]) -> None:
    keep_provider("dollars", "https://dollars.example.com", id="of dollars", currency="USD")
    now = datetime(2027, 3, 1, tzinfo=UTC)
    put("CN")
    assert doubts(now)
    with transaction() as session:
        session.execute(update(ChatModel).where(ChatModel.name == "m").values(fields))
    assert doubts(now) == []


def test_administrators_and_operators_are_told(app: Flask, admin_client: PageClient) -> None:
    put("CN")
    told: Any = admin_client.get(administered_prices.TARIFFS).json["doubts"]  # type: ignore[index]
    (doubt,) = doubts(utc_now())
    assert told == [{"country": "CN", "year": doubt.year, "known": True, "soon": doubt.soon}]
    assert "data-doubts" in admin_client.get("/admin/prices").text
    said = app.test_cli_runner().invoke(args=["doctor"]).output
    level = "warning" if doubt.soon else "ok     "
    assert f"{level} holidays of CN: not confirmed from {doubt.year} on" in said
    assert ("enter its days" in said) is doubt.soon


def test_the_doctor_tells_what_is_not_known_at_all(app: Flask) -> None:
    put("CN", off_peak_days=[f"{year}-02-01" for year in range(2026, LAST + 1)])
    assert "holidays of CN: not known" in app.test_cli_runner().invoke(args=["doctor"]).output
    with transaction() as session:
        session.execute(delete(Tariff))
    assert "holidays of" not in app.test_cli_runner().invoke(args=["doctor"]).output
