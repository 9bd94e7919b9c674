"""Days, weeks and months of a time zone, measured in the ledger's quarter-hours of UTC.

Every zone's days have begun on a quarter-hour since 1972, so a local day is a whole number of quarters: 96, or
92 and 100 where the clocks change.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

QUARTER_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Period:
    """Quarters from `start` up to, not including, `end`."""

    start: int
    end: int

    def __contains__(self, quarter: int) -> bool:
        return self.start <= quarter < self.end


def quarter_of(moment: datetime) -> int:
    """The number of quarter-hours from 1970 to the aware `moment`."""
    return int(moment.timestamp()) // QUARTER_SECONDS


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> int:
    """The first quarter of the local day. Where midnight does not exist, the moment the clocks jump is the start."""
    return quarter_of(datetime.combine(day, time(), zone))


def span(first: date, last: date, zone: ZoneInfo) -> Period:
    """The local days from `first` to `last`, both within."""
    return Period(start_of(first, zone), start_of(last + timedelta(days=1), zone))


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def days(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both within."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


class Days:
    """A run of local days that tells which one a quarter belongs to."""

    def __init__(self, dates: Sequence[date], zone: ZoneInfo) -> None:
        self.dates = dates
        self.period = span(dates[0], dates[-1], zone)
        self._starts = [start_of(day, zone) for day in dates]

    def day_of(self, quarter: int) -> date:
        """The day of a quarter within the run."""
        if quarter not in self.period:
            raise ValueError(f"quarter {quarter} is outside these days")
        return self.dates[bisect_right(self._starts, quarter) - 1]
