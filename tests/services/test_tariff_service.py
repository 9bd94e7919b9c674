"""Which price holds: the history that the migration brings, to the second."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask

from flask_app.database import reading, transaction
from flask_app.domain.events import Usage
from flask_app.domain.tariff import Prices
from flask_app.models import Tariff
from flask_app.services.tariffs import tariff_service
from flask_app.services.tariffs.tariff_service import Priced

BEIJING = timezone(timedelta(hours=8))
MILLION_EACH = Usage(2_000_000, 1_000_000, 1_000_000, 0)


def price(model: str, currency: str, local: str) -> Priced | None:
    moment = datetime.fromisoformat(local).replace(tzinfo=BEIJING)
    with reading() as session:
        return tariff_service.price(model, currency, moment.astimezone(UTC), session.connection())


# Worked out by hand from the price list: a million cached, a million uncached, a million of output.
@pytest.mark.each_case
@pytest.mark.parametrize(
    ("model", "currency", "local", "micros", "peak"),
    [
        ("deepseek-flash", "CNY", "2026-11-25T12:00:00", 5_020_000, False),
        ("deepseek-flash", "CNY", "2026-11-25T11:59:59", 10_040_000, True),
        ("deepseek-flash", "USD", "2026-11-25T20:00:00", 753_000, False),
        ("deepseek-flash", "USD", "2026-11-25T15:00:00", 1_506_000, True),
        ("deepseek-flash", "CNY", "2026-10-01T10:00:00", 5_020_000, False),
        ("deepseek-v4-pro", "CNY", "2026-11-25T20:00:00", 18_150_000, False),
        ("deepseek-v4-pro", "USD", "2026-11-25T10:00:00", 5_324_000, True),
        ("deepseek-v4-flash", "USD", "2026-08-16T10:00:00", 422_800, None),
        ("deepseek-v4-flash", "CNY", "2026-08-17T00:00:00", 6_050_000, False),
        ("deepseek-v4-flash", "CNY", "2026-08-22T10:00:00", 12_100_000, True),  # a Saturday, while weekends counted
        ("deepseek-v4-flash", "CNY", "2026-08-23T10:00:00", 6_050_000, False),  # the first Sunday off-peak
        ("deepseek-v4-flash", "CNY", "2026-09-09T23:59:59", 6_050_000, False),
        ("deepseek-v4-flash", "CNY", "2026-09-10T00:00:00", 5_020_000, False),
    ],
)
def test_the_price_of_its_own_moment(
    app: Flask, model: str, currency: str, local: str, micros: int, peak: bool | None
) -> None:
    priced = price(model, currency, local)
    assert priced is not None
    assert (priced.cost(MILLION_EACH), priced.peak) == (micros, peak)
    doubled = micros // 2 if peak else 0  # peak prices are twice the usual ones
    assert priced.peak_extra(MILLION_EACH) == doubled
    assert priced.cache_saved(MILLION_EACH) == priced.prices.input_miss - priced.prices.input_hit


@pytest.mark.parametrize(
    ("model", "currency", "local"),
    [
        ("deepseek-flash", "CNY", "2026-09-09T23:59:59"),
        ("deepseek-flash", "EUR", "2026-11-25T12:00:00"),
        ("gpt-something", "CNY", "2026-11-25T12:00:00"),
        ("deepseek-v4-pro", "CNY", "2026-11-14T23:59:59"),
    ],
)
def test_what_has_no_price_is_unpriced(app: Flask, model: str, currency: str, local: str) -> None:
    assert price(model, currency, local) is None


# ¥5 or $0.75 for a thousand.
@pytest.mark.parametrize(("currency", "micros"), [("CNY", 5_000), ("USD", 750)])
def test_a_search_is_priced_by_the_request_since_november(app: Flask, currency: str, micros: int) -> None:
    for name in ("deepseek-search", "deepseek-fetch"):
        priced = price(name, currency, "2026-11-01T00:00:00")
        assert priced is not None
        assert (priced.prices, priced.peak, priced.cost(Usage(0, 0, 0, 0))) == (Prices(0, 0, 0, micros), None, micros)
        assert price(name, currency, "2026-10-31T23:59:59") is None


def test_a_request_costs_the_same_at_peak_hours(app: Flask) -> None:
    usual, high = Prices(1, 2, 3, 7), Prices(10, 20, 30, 7)
    starts_at = datetime(2026, 11, 2, tzinfo=BEIJING)
    with reading() as session:
        calendar = session.get_one(Tariff, "deepseek-flash.CNY.2026-09-10").calendar
    low_fields, high_fields = (
        {f"{time}{name}": getattr(prices, name) for name in ("input_hit", "input_miss", "output")}
        for time, prices in (("", usual), ("peak_", high))
    )
    same = {"model": "m", "currency": "CNY", "starts_at": starts_at, "request_price": 7, "calendar": calendar}
    with transaction() as session:
        session.add(Tariff(**same, **low_fields, **high_fields))
    at_peak, off_peak = (price("m", "CNY", f"2026-11-25T{hour}:00:00") for hour in ("10", "20"))
    assert at_peak is not None
    assert off_peak is not None
    assert (at_peak.prices, at_peak.usual, off_peak.prices) == (high, usual, usual)
    assert at_peak.peak_extra(Usage(0, 0, 0, 0)) == 0


def test_the_dearest_is_of_all_models_in_the_currency_at_the_moment(app: Flask) -> None:
    noon = datetime(2026, 11, 25, 12, tzinfo=BEIJING)
    second = timedelta(seconds=1)
    for number, (currency, starts_at, prices) in enumerate(
        (
            ("EUR", noon, Prices(1, 20, 300, 7)),
            ("EUR", noon - second, Prices(9, 90, 4, 2)),
            ("EUR", noon + second, Prices(999, 999, 999, 999)),
            ("CHF", noon, Prices(888, 888, 888, 888)),
        )
    ):
        fields = {name: getattr(prices, name) for name in ("input_hit", "input_miss", "output")}
        with transaction() as session:
            priced = {"model": f"m{number}", "currency": currency, "request_price": prices.request}
            session.add(Tariff(**priced, starts_at=starts_at, **fields))
    with reading() as session:
        euro, pound = (tariff_service.dearest(each, noon, session.connection()) for each in ("EUR", "GBP"))
        usual, peak = (tariff_service.dearest("CNY", at, session.connection()) for at in (noon, noon - second))
    assert (euro, pound) == (Prices(9, 90, 300, 7), None)
    assert usual
    doubled = {name: 2 * getattr(usual, name) for name in ("input_hit", "input_miss", "output")}
    assert peak == Prices(**doubled, request=usual.request), "peak hours end at noon"
    assert usual.request == 5_000


def test_a_price_that_starts_later_leaves_the_past_alone(app: Flask) -> None:
    before = price("deepseek-flash", "CNY", "2026-11-25T12:00:00")
    starts_at = datetime(2026, 11, 25, 12, 30, tzinfo=BEIJING)
    raised = Prices(1, 2, 3)
    with transaction() as session:
        session.add(
            Tariff(model="deepseek-flash", currency="CNY", starts_at=starts_at, input_hit=1, input_miss=2, output=3)
        )
    assert price("deepseek-flash", "CNY", "2026-11-25T12:00:00") == before
    after = price("deepseek-flash", "CNY", "2026-11-25T12:30:00")
    assert after is not None
    assert (after.prices, after.peak) == (raised, None)
