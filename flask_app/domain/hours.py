"""Hours of use: on which days of the week, from when to when, on the clocks of one time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 1440
WEEK = 7


@dataclass(frozen=True, slots=True)
class Hours:
    """On `days` (0 is Monday), from the minute `start` of the day up to, not including, the minute `end`.

    An `end` that is before the start is one of the day after: they pass midnight.
    """

    days: frozenset[int]
    start: int
    end: int

    def make_sense(self) -> bool:
        is_in_a_day = 0 <= self.start < MINUTES_A_DAY and 0 < self.end <= MINUTES_A_DAY
        return bool(self.days) and self.days <= set(range(WEEK)) and is_in_a_day and self.start != self.end


def are_open(hours: Hours, moment: datetime, zone: ZoneInfo) -> bool:
    """At this aware moment, by the zone's clocks."""
    there = moment.astimezone(zone)
    minute, begins = there.hour * 60 + there.minute, there.weekday() in hours.days
    if hours.start < hours.end:
        return begins and hours.start <= minute < hours.end
    began = (there.weekday() - 1) % WEEK in hours.days
    return (begins and minute >= hours.start) or (began and minute < hours.end)


def opening(hours: Hours, moment: datetime, zone: ZoneInfo) -> datetime:
    """When they open next after the aware `moment`, which is outside of them. Hours make sense."""
    return next(begin for begin in _openings(hours, moment.astimezone(zone).date(), zone) if begin > moment)


def minutes(text: str) -> int:
    """ "08:30" or "24:00" as minutes of the day; raises ValueError."""
    hour, _, minute = text.partition(":")
    if not (len(hour) == len(minute) == 2 and text.isascii() and (hour + minute).isdigit() and int(minute) < 60):
        raise ValueError(text)
    found = int(hour) * 60 + int(minute)
    if found > MINUTES_A_DAY:
        raise ValueError(text)
    return found


def clock(minute: int) -> str:
    """The other way about."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _openings(hours: Hours, first: date, zone: ZoneInfo) -> Iterator[datetime]:
    for later in range(WEEK + 1):
        day = first + timedelta(days=later)
        if day.weekday() in hours.days:
            yield datetime.combine(day, time(hours.start // 60, hours.start % 60), zone)
