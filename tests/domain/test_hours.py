"""Hours of use: open or not, and when they open next."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.hours import Hours, are_open, clock, minutes, opening

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
LESSONS = Hours(frozenset(range(5)), 8 * 60, 16 * 60 + 30)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-27T00:00", True),  # Friday, 8:00 there
        ("2026-11-26T23:59", False),
        ("2026-11-27T08:29", True),
        ("2026-11-27T08:30", False),
        ("2026-11-28T04:00", False),  # Saturday
    ],
)
def test_they_are_open_from_the_first_minute_up_to_the_last(moment: str, is_open: bool) -> None:
    assert are_open(LESSONS, datetime.fromisoformat(moment).replace(tzinfo=UTC), SHANGHAI) is is_open


@pytest.mark.parametrize(
    ("there", "is_open"),
    [
        ("2026-11-27T19:59", False),  # Friday
        ("2026-11-27T20:00", True),
        ("2026-11-28T00:00", True),  # Saturday, of Friday's evening
        ("2026-11-28T01:29", True),
        ("2026-11-28T01:30", False),
        ("2026-11-28T20:00", False),  # no evening begins on a Saturday
        ("2026-11-30T01:00", False),  # Monday: none began on Sunday
        ("2026-11-30T20:00", True),
    ],
)
def test_an_end_before_the_beginning_is_on_the_day_after(there: str, *, is_open: bool) -> None:
    evenings = Hours(frozenset(range(5)), 20 * 60, 90)
    moment = datetime.fromisoformat(there).replace(tzinfo=SHANGHAI)
    assert are_open(evenings, moment.astimezone(UTC), SHANGHAI) is is_open
    if not is_open:
        assert opening(evenings, moment, SHANGHAI).astimezone(SHANGHAI).hour == 20


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-26T20:00", "2026-11-27T00:00"),
        ("2026-11-27T09:00", "2026-11-30T00:00"),
        ("2026-11-28T09:00", "2026-11-30T00:00"),
    ],
)
def test_they_open_on_the_next_of_their_days(moment: str, opens: str) -> None:
    found = opening(LESSONS, datetime.fromisoformat(moment).replace(tzinfo=UTC), SHANGHAI)
    assert found == datetime.fromisoformat(opens).replace(tzinfo=UTC)


def test_one_day_a_week_opens_a_week_later() -> None:
    mondays = Hours(frozenset({0}), 600, 660)
    after = datetime(2026, 11, 30, 4, tzinfo=UTC)
    assert opening(mondays, after, SHANGHAI) == datetime(2026, 12, 7, 2, tzinfo=UTC)


@given(
    st.builds(Hours, st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(1, 1440)).filter(
        Hours.make_sense
    ),
    st.integers(0, 60 * 24 * 700),
)
def test_what_is_closed_opens_within_eight_days(hours: Hours, minute: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    if not are_open(hours, moment, BERLIN):
        found = opening(hours, moment, BERLIN)
        assert moment < found <= moment + timedelta(days=8)


@pytest.mark.parametrize(("text", "found"), [("00:00", 0), ("08:30", 510), ("24:00", 1440)])
def test_a_clock_is_read_and_written(text: str, found: int) -> None:
    assert (minutes(text), clock(found)) == (found, text)


@pytest.mark.parametrize("text", ["8:30", "08:60", "24:01", "99:00", "0a:00", "08-30", "١٢:٠٠"])
def test_what_is_no_clock_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        minutes(text)


@pytest.mark.parametrize(
    "hours",
    [
        Hours(frozenset(), 0, 60),
        Hours(frozenset({7}), 0, 60),
        Hours(frozenset({0}), 60, 60),
        Hours(frozenset({0}), 60, 0),  # midnight is the end of the day: 1440
        Hours(frozenset({0}), 1440, 60),
    ],
)
def test_some_hours_make_no_sense(hours: Hours) -> None:
    assert not hours.make_sense()
