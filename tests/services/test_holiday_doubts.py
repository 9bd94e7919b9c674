"""From which year on prices go by holidays that are not sure, and that administrators and operators are told."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from flask_app.database import transaction, utc_now
from flask_app.models import Tariff
from flask_app.services.tariffs import holiday_doubts, tariff_list_service
from flask_app.services.tariffs.holiday_doubts import Doubt
from scripts.generate_holidays import YEARS
from tests.support import administered_prices, prices
from tests.support.clients import PageClient

CALENDAR = {"timezone": "Asia/Shanghai", "weekdays": [0], "hours": [["09:00", "12:00"]]}
LAST = YEARS[-1]


def doubts(now: datetime) -> list[Doubt]:
    return holiday_doubts.of(tariff_list_service.listed(now), now)


def put(country: str, *, starts_at: datetime = datetime(2026, 1, 1, tzinfo=UTC), **days: list[str]) -> None:
    """A price with other hours than those on the country's holidays, instead of all that there were."""
    with transaction() as session:
        session.execute(delete(Tariff))
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
