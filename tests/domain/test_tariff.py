from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.events import Usage
from flask_app.domain.tariff import Calendar, Prices, cost

BEIJING = timezone(timedelta(hours=8))
DEEPSEEK = (
    '{"timezone": "Asia/Shanghai", "weekdays": [0, 1, 2, 3, 4],'
    ' "hours": [["09:00", "12:00"], ["14:00", "18:00"]], "holidays": "CN"}'
)
FLASH = Prices(20_000, 1_000_000, 4_000_000)

# The days on which DeepSeek's notice says that no peak hours hold in 2026.
NOTICE_2026 = [
    date(2026, month, day)
    for month, first, last in (
        (1, 1, 3),
        (2, 15, 23),
        (4, 4, 6),
        (5, 1, 5),
        (6, 19, 21),
        (9, 25, 27),
        (10, 1, 7),
    )
    for day in range(first, last + 1)
]

counts = st.integers(0, 10**9)
prices = st.builds(Prices, counts, counts, counts)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    prompt, completion = draw(counts), draw(counts)
    return Usage(prompt, draw(st.integers(0, prompt)), completion, draw(st.integers(0, completion)))


# Worked out by hand: hit × ¥0.02 + miss × ¥1 + output × ¥4, each per million, in millionths of a yuan.
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(0, 0, 0, 0), 0),
        (Usage(1_000_000, 0, 0, 0), 1_000_000),
        (Usage(1_000_000, 1_000_000, 0, 0), 20_000),
        (Usage(0, 0, 1_000_000, 0), 4_000_000),
        (Usage(1000, 600, 500, 400), 12 + 400 + 2000),
        (Usage(24, 24, 0, 0), 0),  # 0.48 of a micro-unit
        (Usage(25, 25, 0, 0), 1),  # 0.50: half goes up
        (Usage(74, 74, 0, 0), 1),  # 1.48
        (Usage(75, 75, 0, 0), 2),  # 1.50
    ],
)
def test_cost_is_what_the_price_list_says(usage: Usage, expected: int) -> None:
    assert cost(usage, FLASH) == expected


@given(usages(), prices)
def test_cost_is_within_half_a_micro_unit_of_the_exact_sum(usage: Usage, priced: Prices) -> None:
    missed = usage.prompt_tokens - usage.cached_tokens
    exact = usage.cached_tokens * priced.input_hit + missed * priced.input_miss
    exact += usage.completion_tokens * priced.output
    assert -1_000_000 < 2 * (cost(usage, priced) * 1_000_000 - exact) <= 1_000_000


@given(usages(), prices)
def test_thinking_is_not_paid_twice(usage: Usage, priced: Prices) -> None:
    silent = Usage(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, 0)
    assert cost(usage, priced) == cost(silent, priced)


@pytest.mark.parametrize(
    ("local", "peak"),
    [
        ("2026-11-25T08:59:59.999999", False),
        ("2026-11-25T09:00:00", True),
        ("2026-11-25T11:59:59.999999", True),
        ("2026-11-25T12:00:00", False),
        ("2026-11-25T13:59:59", False),
        ("2026-11-25T14:00:00", True),
        ("2026-11-25T17:59:59", True),
        ("2026-11-25T18:00:00", False),
        ("2026-11-28T10:00:00", False),  # Saturday
        ("2026-11-29T10:00:00", False),  # Sunday
        ("2026-11-30T10:00:00", True),  # Monday
        ("2026-02-28T10:00:00", False),  # a Saturday that made up for a holiday: still a Saturday
        ("2026-10-01T10:00:00", False),  # a Thursday, National Day
        ("2026-10-08T10:00:00", True),  # the Thursday after
    ],
)
def test_peak_hours_to_the_second(local: str, peak: bool) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=BEIJING)
    assert Calendar.parse(DEEPSEEK).is_peak(moment) is peak
    assert Calendar.parse(DEEPSEEK).is_peak(moment.astimezone(UTC)) is peak


def test_every_weekday_of_2026_is_a_peak_day_unless_the_notice_excludes_it() -> None:
    calendar = Calendar.parse(DEEPSEEK)
    days = [date(2026, 1, 1) + timedelta(n) for n in range(365)]
    peak = {day for day in days if calendar.is_peak(datetime(day.year, day.month, day.day, 10, tzinfo=BEIJING))}
    assert peak == {day for day in days if day.weekday() < 5 and day not in NOTICE_2026}


def test_holidays_can_be_listed_by_hand_or_left_out() -> None:
    thursday = datetime(2026, 10, 1, 10, tzinfo=BEIJING)
    listed = Calendar.parse(DEEPSEEK.replace('"CN"', '["2026-11-25"]'))
    assert listed.is_peak(thursday)
    assert not listed.is_peak(datetime(2026, 11, 25, 10, tzinfo=BEIJING))
    assert Calendar.parse(DEEPSEEK.replace(', "holidays": "CN"', "")).is_peak(thursday)


def test_peak_hours_follow_the_wall_clock_of_a_zone_with_summer_time() -> None:
    nine_to_ten = '{"timezone": "America/New_York", "weekdays": [4, 0], "hours": [["09:00", "10:00"]]}'
    calendar = Calendar.parse(nine_to_ten)
    assert calendar.is_peak(datetime(2026, 3, 6, 14, 0, tzinfo=UTC))  # Friday, winter: UTC-5
    assert calendar.is_peak(datetime(2026, 3, 9, 13, 0, tzinfo=UTC))  # Monday, summer: UTC-4
    assert not calendar.is_peak(datetime(2026, 3, 9, 14, 0, tzinfo=UTC))


def test_a_span_may_end_with_the_day() -> None:
    calendar = Calendar.parse('{"timezone": "UTC", "weekdays": [2], "hours": [["23:00", "24:00"]]}')
    assert calendar.is_peak(datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC))
    assert not calendar.is_peak(datetime(2026, 11, 26, 0, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("field", "malformed"),
    [
        ('"09:00"', '"9:00"'),
        ('"09:00"', '"09:60"'),
        ('"18:00"', '"24:01"'),
        ('"18:00"', '"14:00"'),
        ('"18:00"', '"06:00"'),
        ('"09:00"', '"aa:bb"'),
        ("[0, 1,", "[7, 1,"),
        ("[0, 1,", "[-1, 1,"),
        ("Asia/Shanghai", "Asia/Atlantis"),
        ("}", ', "colour": 1}'),
        ('"CN"', '["2026-13-01"]'),
    ],
)
def test_a_malformed_calendar_is_refused(field: str, malformed: str) -> None:
    assert field in DEEPSEEK
    with pytest.raises((ValueError, KeyError)):
        Calendar.parse(DEEPSEEK.replace(field, malformed))
