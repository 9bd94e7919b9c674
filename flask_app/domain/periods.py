"""Days, weeks and months of a time zone, measured in the ledger's quarter-hours of UTC.

Every zone's days have begun on a quarter-hour since 1972, so a local day is a whole number of quarters: 96, or
92 and 100 where the clocks change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

QUARTER_SECONDS = 900
QUARTERS_A_DAY = 96
ENDLESS = 10_000 * 366 * QUARTERS_A_DAY  # later than every quarter there is, and a whole number of any blocks
_FIRST_DAY = date(1970, 1, 1)


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


def moment_of(quarter: int) -> datetime:
    """When it begins."""
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)


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


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a period in which the clocks stand `offset` quarters ahead of UTC."""

    period: Period
    offset: int


def stretches(period: Period, zone: ZoneInfo) -> list[Stretch]:
    """The period, split where the zone's clocks change."""
    starts = [period.start]
    for quarter in range(period.start, period.end, QUARTERS_A_DAY):
        later = min(quarter + QUARTERS_A_DAY, period.end - 1)
        if _offset(quarter, zone) != _offset(later, zone):
            starts.append(_change(quarter, later, zone))
    ends = [*starts[1:], period.end]
    return [Stretch(Period(start, end), _offset(start, zone)) for start, end in zip(starts, ends, strict=True)]


def day_number(day: int) -> date:
    """The day that is so many days after 1 January 1970."""
    return _FIRST_DAY + timedelta(days=day)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of `size` quarters, from number `first` up to, not including, `end`."""

    size: int
    first: int
    end: int


def cover(period: Period, sizes: Sequence[int]) -> Iterator[Blocks]:
    """The fewest blocks that make up the period exactly. Each size is a multiple of the next, the last is 1."""
    size, *smaller = sizes
    first, end = -(-period.start // size), period.end // size
    if first < end:
        yield Blocks(size, first, end)
        rests = [Period(period.start, first * size), Period(end * size, period.end)]
    else:
        rests = [period]
    for rest in rests:
        if rest.start < rest.end:
            yield from cover(rest, smaller)


def _offset(quarter: int, zone: ZoneInfo) -> int:
    local = moment_of(quarter).astimezone(zone)
    return int((local.replace(tzinfo=UTC) - local).total_seconds()) // QUARTER_SECONDS


def _change(before: int, after: int, zone: ZoneInfo) -> int:
    """The first quarter after `before` with another offset; the one at `after` has it."""
    offset = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after
