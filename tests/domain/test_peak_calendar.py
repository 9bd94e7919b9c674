from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest

from flask_app.domain.peak_calendar import Calendar
from flask_app.errors import Invalid

BEIJING = timezone(timedelta(hours=8))
DEEPSEEK = (
    '{"timezone": "Asia/Shanghai", "weekdays": [0, 1, 2, 3, 4],'
    ' "hours": [["09:00", "12:00"], ["14:00", "18:00"]], "holidays": "CN"}'
)

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


def test_holidays_can_be_left_out() -> None:
    thursday = datetime(2026, 10, 1, 10, tzinfo=BEIJING)
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
    ("field", "malformed", "code"),
    [
        ('"09:00"', '"9:00"', "bad_hours"),
        ('"09:00"', '"09:60"', "bad_hours"),
        ('"18:00"', '"24:01"', "bad_hours"),
        ('"18:00"', '"14:00"', "bad_hours"),
        ('"18:00"', '"06:00"', "bad_hours"),
        ('"09:00"', '"aa:bb"', "bad_hours"),
        ('[["09:00", "12:00"], ["14:00", "18:00"]]', "[]", "bad_hours"),
        ("[0, 1,", "[7, 1,", "bad_weekdays"),
        ("[0, 1,", "[-1, 1,", "bad_weekdays"),
        ("[0, 1, 2, 3, 4]", "[]", "bad_weekdays"),
        ("Asia/Shanghai", "Asia/Atlantis", "unknown_timezone"),
        ("Asia/Shanghai", "Asia", "unknown_timezone"),
        ("Asia/Shanghai", "../etc/passwd", "unknown_timezone"),
        ('"CN"', '"XX"', "unknown_country"),
        ('"CN"', '"cn"', "unknown_country"),
        ('"CN"', '"CN", "peak_days": ["2026-01-01"], "off_peak_days": ["2026-01-01"]', "day_both_ways"),
    ],
)
def test_a_calendar_without_sense_is_refused(field: str, malformed: str, code: str) -> None:
    assert field in DEEPSEEK
    with pytest.raises(Invalid) as refused:
        Calendar.parse(DEEPSEEK.replace(field, malformed))
    assert refused.value.code == code


@pytest.mark.parametrize("malformed", ["{}", DEEPSEEK.replace("}", ', "colour": 1}'), DEEPSEEK.replace('"CN"', "[]")])
def test_what_is_no_calendar_is_refused(malformed: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        Calendar.parse(malformed)


# 2026-10-01 is a Thursday and a holiday, 2026-11-28 a Saturday, 2026-11-25 an ordinary Wednesday.
@pytest.mark.parametrize(
    ("local", "peak"),
    [
        ("2026-10-01T10:00:00", True),
        ("2026-10-02T10:00:00", False),
        ("2026-11-28T10:00:00", True),
        ("2026-11-28T12:00:00", False),
        ("2026-11-29T10:00:00", False),
        ("2026-11-25T10:00:00", False),
        ("2026-11-26T10:00:00", True),
    ],
)
def test_days_of_its_own_come_before_weekdays_and_holidays(local: str, peak: bool) -> None:
    own = '"CN", "peak_days": ["2026-10-01", "2026-11-28"], "off_peak_days": ["2026-11-25"]'
    calendar = Calendar.parse(DEEPSEEK.replace('"CN"', own))
    assert calendar.is_peak(datetime.fromisoformat(local).replace(tzinfo=BEIJING)) is peak


@pytest.mark.parametrize(
    ("local", "change"),
    [
        ("2026-11-25T08:59:59.999999", "2026-11-25T09:00:00"),
        ("2026-11-25T09:00:00", "2026-11-25T12:00:00"),
        ("2026-11-25T12:00:00", "2026-11-25T14:00:00"),
        ("2026-11-25T17:59:59", "2026-11-25T18:00:00"),
        ("2026-11-27T18:00:00", "2026-11-30T09:00:00"),  # over the weekend
        ("2026-09-30T18:00:00", "2026-10-08T09:00:00"),  # over the holidays
    ],
)
def test_when_the_price_changes_next(local: str, change: str) -> None:
    found = Calendar.parse(DEEPSEEK).next_change(datetime.fromisoformat(local).replace(tzinfo=BEIJING))
    assert found == datetime.fromisoformat(change).replace(tzinfo=BEIJING)


def test_the_next_change_may_be_one_of_the_clocks() -> None:
    """On 1 November 2026 clocks in New York go back from 02:00 to 01:00: 01:30 comes twice."""
    late = '{"timezone": "America/New_York", "weekdays": [6], "hours": [["01:30", "02:00"]]}'
    calendar = Calendar.parse(late)
    changes, moment = [], datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
    for _ in range(4):
        found = calendar.next_change(moment)
        assert found is not None
        changes.append(f"{found:%H:%M}")
        moment = found
    assert changes == ["05:30", "06:00", "06:30", "07:00"]


def test_hours_that_the_clocks_leave_out_are_never_peak() -> None:
    """On 8 March 2026 clocks in New York go from 02:00 to 03:00."""
    calendar = Calendar.parse('{"timezone": "America/New_York", "weekdays": [6], "hours": [["02:00", "03:00"]]}')
    day = [datetime(2026, 3, 8, tzinfo=UTC) + timedelta(minutes=minute) for minute in range(24 * 60)]
    assert not any(map(calendar.is_peak, day))


def test_a_calendar_that_never_changes_has_no_next_change() -> None:
    always = '{"timezone": "UTC", "weekdays": [0, 1, 2, 3, 4, 5, 6], "hours": [["00:00", "24:00"]]}'
    assert Calendar.parse(always).next_change(datetime(2026, 11, 25, tzinfo=UTC)) is None
