"""Ranges of days to choose from, and the one before."""

from datetime import date

import pytest

from flask_app.domain.ranges import Days, ending, presets

WEDNESDAY = date(2026, 11, 25)
SINCE = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2026-11-25", "2026-11-25"),
        ("days_7", "2026-11-19", "2026-11-25"),
        ("days_30", "2026-10-27", "2026-11-25"),
        ("week", "2026-11-23", "2026-11-25"),
        ("month", "2026-11-01", "2026-11-25"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("year", "2026-01-01", "2026-11-25"),
        ("all", "2026-03-09", "2026-11-25"),
    ],
)
def test_what_is_offered_ends_today_or_before(name: str, first: str, last: str) -> None:
    assert presets(WEDNESDAY, SINCE)[name] == Days(date.fromisoformat(first), date.fromisoformat(last))


def test_last_month_of_january_is_december() -> None:
    assert presets(date(2027, 1, 31), SINCE)["last_month"] == Days(date(2026, 12, 1), date(2026, 12, 31))


def test_before_use_began_all_of_it_is_today() -> None:
    assert presets(WEDNESDAY, date(2026, 11, 26))["all"] == Days(WEDNESDAY, WEDNESDAY)


@pytest.mark.parametrize(
    ("days", "before"),
    [
        (Days(WEDNESDAY, WEDNESDAY), Days(date(2026, 11, 24), date(2026, 11, 24))),
        (Days(date(2026, 11, 1), WEDNESDAY), Days(date(2026, 10, 7), date(2026, 10, 31))),
        (Days(date(2024, 3, 1), date(2024, 3, 1)), Days(date(2024, 2, 29), date(2024, 2, 29))),
    ],
)
def test_the_range_before_is_as_long_and_ends_where_this_begins(days: Days, before: Days) -> None:
    assert days.before == before
    assert len(days.before) == len(days)


def test_so_many_days_up_to_one() -> None:
    assert ending(WEDNESDAY, 30) == Days(date(2026, 10, 27), WEDNESDAY)
