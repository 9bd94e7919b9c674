from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain import periods
from flask_app.domain.periods import Days, Period

SHANGHAI, NEPAL, NEW_YORK, CAIRO, HAVANA, LORD_HOWE, UTC_ZONE = (
    ZoneInfo(name)
    for name in (
        "Asia/Shanghai",
        "Asia/Kathmandu",
        "America/New_York",
        "Africa/Cairo",
        "America/Havana",
        "Australia/Lord_Howe",
        "UTC",
    )
)
zones = st.sampled_from([SHANGHAI, NEPAL, NEW_YORK, CAIRO, HAVANA, LORD_HOWE, UTC_ZONE])
moments = st.integers(1_577_836_800, 2_051_222_400).map(lambda second: datetime.fromtimestamp(second, UTC))


@given(moments, zones)
def test_a_moment_lies_in_its_local_day_and_in_no_other(moment: datetime, zone: ZoneInfo) -> None:
    day, quarter = periods.local_day(moment, zone), periods.quarter_of(moment)
    assert quarter in periods.span(day, day, zone)
    assert quarter not in periods.span(day - timedelta(1), day - timedelta(1), zone)
    assert quarter not in periods.span(day + timedelta(1), day + timedelta(1), zone)


@given(moments, zones, st.integers(0, 40), st.integers(0, 40))
def test_days_tell_the_day_of_a_quarter(moment: datetime, zone: ZoneInfo, before: int, after: int) -> None:
    day = periods.local_day(moment, zone)
    run = Days(periods.days(day - timedelta(before), day + timedelta(after)), zone)
    assert run.day_of(periods.quarter_of(moment)) == day


@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        (SHANGHAI, date(2026, 11, 25), 96),
        (NEPAL, date(2026, 11, 25), 96),
        (NEW_YORK, date(2026, 3, 8), 92),
        (NEW_YORK, date(2026, 11, 1), 100),
        (CAIRO, date(2026, 4, 24), 92),  # midnight does not exist: the clocks go from 00:00 to 01:00
        (HAVANA, date(2026, 11, 1), 100),  # midnight to one o'clock happens twice
        (LORD_HOWE, date(2026, 10, 4), 94),  # summer time is half an hour
    ],
)
def test_a_day_has_as_many_quarters_as_its_clocks_show(zone: ZoneInfo, day: date, quarters: int) -> None:
    period = periods.span(day, day, zone)
    assert period.end - period.start == quarters


def test_a_day_of_nepal_begins_at_a_quarter_past() -> None:
    start = datetime(2026, 11, 24, 18, 15, tzinfo=UTC)
    assert periods.start_of(date(2026, 11, 25), NEPAL) == periods.quarter_of(start)
    assert periods.quarter_of(start - timedelta(microseconds=1)) == periods.quarter_of(start) - 1


def test_a_period_ends_before_its_end() -> None:
    assert [quarter in Period(3, 5) for quarter in (2, 3, 4, 5)] == [False, True, True, False]


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2026, 11, 25), date(2026, 11, 29)])
def test_a_week_begins_on_monday(day: date) -> None:
    assert periods.monday_of(day) == date(2026, 11, 23)


def test_a_month_begins_on_its_first() -> None:
    assert periods.first_of_month(date(2028, 2, 29)) == date(2028, 2, 1)


def test_a_quarter_outside_the_days_is_refused() -> None:
    run = Days([date(2026, 11, 25)], UTC_ZONE)
    for outside in (run.period.start - 1, run.period.end):
        with pytest.raises(ValueError, match="outside"):
            run.day_of(outside)
