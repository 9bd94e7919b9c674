"""What each model costs, at a moment."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from flask_app.services.tariffs import tariff_list_service
from flask_app.services.tariffs.tariff_list_service import PriceLine


def line(now: datetime, model: str = "deepseek-flash") -> PriceLine:
    (prices,) = [each for each in tariff_list_service.listed(now) if each.model == model]
    (found,) = [each for each in prices.lines if each.currency == "CNY"]
    return found


# Peak hours in Beijing (UTC+8) are 09:00-12:00 and 14:00-18:00.
@pytest.mark.parametrize(
    ("hour", "minute", "peak", "changes"), [(3, 59, True, 4), (4, 0, False, 6), (6, 0, True, 10), (9, 59, True, 10)]
)
def test_whether_high_prices_hold_and_until_when(app: Flask, hour: int, minute: int, peak: bool, changes: int) -> None:
    found = line(datetime(2026, 11, 25, hour, minute, tzinfo=UTC))
    assert (found.peak, found.changes_at) == (peak, datetime(2026, 11, 25, changes, tzinfo=UTC))


def test_each_price_ends_where_the_next_one_begins(app: Flask) -> None:
    """The history that comes along of a model that has had several prices."""
    found = line(datetime(2026, 8, 25, tzinfo=UTC), "deepseek-v4-flash")
    states = [dated.state for dated in found.tariffs]
    assert states == sorted(states, key=["planned", "current", "past"].index)
    assert states.count("current") == 1
    starts = [dated.tariff.starts_at for dated in found.tariffs]
    assert [dated.ends_at for dated in found.tariffs] == [None, *starts[:-1]]
    assert found.current is found.tariffs[states.index("current")].tariff
