from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flask_app.domain import periods
from flask_app.domain.periods import ENDLESS, QUARTERS_A_DAY, Blocks, Period, Stretch

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


@given(moments, zones, st.integers(0, 400))
def test_the_clocks_of_a_stretch_tell_the_day_of_each_of_its_quarters(
    moment: datetime, zone: ZoneInfo, more: int
) -> None:
    day = periods.local_day(moment, zone)
    period = periods.span(day - timedelta(more), day, zone)
    parts = periods.stretches(period, zone)
    assert [part.period.start for part in parts] == [period.start, *(part.period.end for part in parts[:-1])]
    assert parts[-1].period.end == period.end
    for part in parts:
        for quarter in range(part.period.start, part.period.end, 7):
            found = date(1970, 1, 1) + timedelta(days=(quarter + part.offset) // QUARTERS_A_DAY)
            assert found == periods.local_day(periods.moment_of(quarter), zone)


def test_a_period_is_split_to_the_quarter_where_the_clocks_change() -> None:
    change = periods.quarter_of(datetime(2026, 11, 1, 6, tzinfo=UTC))
    assert periods.stretches(Period(change - 200, change + 200), NEW_YORK) == [
        Stretch(Period(change - 200, change), -16),
        Stretch(Period(change, change + 200), -20),
    ]
    assert periods.stretches(Period(change - 200, change), NEW_YORK) == [Stretch(Period(change - 200, change), -16)]
    assert len(periods.stretches(Period(change - 200, change + 1), NEW_YORK)) == 2


@given(st.integers(0, 10**7), st.integers(0, 10**6))
def test_blocks_cover_a_period_without_a_gap_and_without_a_repeat(start: int, length: int) -> None:
    blocks = sorted(
        periods.cover(Period(start, start + length), (3072, 96, 1)), key=lambda part: part.first * part.size
    )
    place = start
    for part in blocks:
        assert part.first * part.size == place
        place = part.end * part.size
    assert place == start + length
    assert sum(part.end - part.first for part in blocks if part.size == 1) <= 2 * 95
    assert sum(part.end - part.first for part in blocks if part.size == 96) <= 2 * 31


@given(st.integers(0, 10**4), st.integers(0, 10**4))
@example(100, 3000)  # within one of the largest
@example(100, 1500)
@example(50, 5000)
def test_blocks_added_and_taken_away_make_up_a_period(start: int, length: int) -> None:
    counted, read = Counter[int](), Counter[int]()
    for part, sign in periods.cover_either_way(Period(start, start + length), (3072, 96, 1)):
        assert part.first < part.end
        read[part.size] += part.end - part.first
        for quarter in range(part.first * part.size, part.end * part.size):
            counted[quarter] += sign
    assert {quarter: times for quarter, times in counted.items() if times} == dict.fromkeys(
        range(start, start + length), 1
    )
    assert read[96] <= 2 * 17
    assert read[1] <= 2 * 48


def test_everything_is_one_run_of_the_coarsest_blocks() -> None:
    whole = Blocks(3072, 0, ENDLESS // 3072)
    assert list(periods.cover(Period(0, ENDLESS), (3072, 96, 1))) == [whole]
    assert list(periods.cover_either_way(Period(0, ENDLESS), (3072, 96, 1))) == [(whole, 1)]


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


@pytest.mark.parametrize("offset", range(-48, 57))
def test_midnight_moves_each_quarter_into_its_local_day(offset: int) -> None:
    midnight = periods.midnight(offset)
    for quarter in range(QUARTERS_A_DAY):
        day = midnight.days + (midnight.step if quarter in midnight.beyond else 0)
        assert day == (quarter + offset) // QUARTERS_A_DAY
    in_hours = {quarter for quarter in range(QUARTERS_A_DAY) if quarter // 4 in midnight.hours}
    beyond = in_hours - {*midnight.odd} if midnight.too_many else in_hours | {*midnight.odd}
    assert beyond == {quarter for quarter in range(QUARTERS_A_DAY) if quarter in midnight.beyond}
    assert len(midnight.odd) <= 2


def test_a_stretch_is_split_at_local_midnights() -> None:
    stretch = periods.Stretch(Period(90, 300), 23)
    assert list(periods.local_days(stretch)) == [(1, Period(90, 169)), (2, Period(169, 265)), (3, Period(265, 300))]
