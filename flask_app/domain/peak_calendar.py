"""A provider's own hours of high prices: time zone, weekdays, hours, public holidays, and days of its own."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from flask_app.domain import public_holidays
from flask_app.errors import Invalid

MAX_SPANS, MAX_DAYS = 12, 100
SEEN_AHEAD = timedelta(days=60)  # no calendar goes longer without a change, unless it never changes

_WEEK = frozenset(range(7))  # Monday is 0
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
_QUARTER = 15  # minutes: every time zone is so many of them away from UTC

Clock = Annotated[str, msgspec.Meta(max_length=5)]
Days = Annotated[list[date], msgspec.Meta(max_length=MAX_DAYS)]


class WrittenCalendar(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Peak hours as they are written down: local times such as 09:00 to 12:00, weekdays from 0 (Monday) to 6.

    No hour is peak on a public holiday of the country `holidays` (ISO 3166, empty for none). `peak_days` count as
    weekdays whatever they are, `off_peak_days` as days off.
    """

    timezone: Annotated[str, msgspec.Meta(max_length=64)]
    weekdays: Annotated[list[int], msgspec.Meta(max_length=7)]
    hours: Annotated[list[tuple[Clock, Clock]], msgspec.Meta(max_length=MAX_SPANS)]
    holidays: Annotated[str, msgspec.Meta(max_length=2)] = ""
    peak_days: Days = msgspec.field(default_factory=list)
    off_peak_days: Days = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The same, ready to be asked. `hours` are [from, to) in minutes after local midnight."""

    timezone: ZoneInfo
    weekdays: frozenset[int]
    hours: tuple[tuple[int, int], ...]
    holidays: str
    peak_days: frozenset[date]
    off_peak_days: frozenset[date]

    @staticmethod
    @lru_cache(maxsize=64)
    def parse(written: str) -> "Calendar":
        """Read a tariff's calendar (the JSON of a WrittenCalendar); raises Invalid when it makes no sense."""
        return Calendar.of(msgspec.json.decode(written, type=WrittenCalendar))

    @staticmethod
    def of(written: WrittenCalendar) -> "Calendar":
        """Raises Invalid: "unknown_timezone", "bad_weekdays", "bad_hours", "unknown_country", "day_both_ways"."""
        weekdays = frozenset(written.weekdays)
        peak, off_peak = frozenset(written.peak_days), frozenset(written.off_peak_days)
        if not weekdays or not weekdays <= _WEEK:
            raise Invalid("bad_weekdays")
        if not written.hours:
            raise Invalid("bad_hours", hours="")
        if written.holidays and written.holidays not in public_holidays.countries():
            raise Invalid("unknown_country", country=written.holidays)
        if both := peak & off_peak:
            raise Invalid("day_both_ways", day=min(both).isoformat())
        hours = tuple(_span(start, end) for start, end in written.hours)
        return Calendar(_zone(written.timezone), weekdays, hours, written.holidays, peak, off_peak)

    def is_peak(self, moment: datetime) -> bool:
        """Is the aware `moment` within the hours of high prices? The end of a span is outside it."""
        local = moment.astimezone(UTC).astimezone(self.timezone)
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in self.hours) and self._has_peak_hours(local.date())

    def next_change(self, moment: datetime) -> datetime | None:
        """When high prices next begin or end after `moment`; None when they do not within two months."""
        now, minutes = self.is_peak(moment), sorted({minute % _QUARTER for span in self.hours for minute in span} | {0})
        quarter = moment.astimezone(UTC).replace(minute=moment.minute // _QUARTER * _QUARTER, second=0, microsecond=0)
        while quarter < moment + SEEN_AHEAD:
            for minute in minutes:
                edge = quarter + timedelta(minutes=minute)
                if edge > moment and self.is_peak(edge) is not now:
                    return edge
            quarter += timedelta(minutes=_QUARTER)
        return None

    def _has_peak_hours(self, day: date) -> bool:
        if day in self.peak_days:
            return True
        off = day in self.off_peak_days or day in public_holidays.of(self.holidays, day.year)
        return day.weekday() in self.weekdays and not off


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid("unknown_timezone") from error


def _span(start: str, end: str) -> tuple[int, int]:
    """A span over midnight is written as two."""
    first, last = _minutes(start), _minutes(end)
    if first is None or last is None or first >= last:
        raise Invalid("bad_hours", hours=f"{start}-{end}")
    return first, last


def _minutes(clock: str) -> int | None:
    match = _CLOCK.fullmatch(clock)
    if match is None:
        return None
    hour, minute = (int(part) for part in match.groups() if part)
    return hour * 60 + minute
