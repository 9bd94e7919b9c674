"""Days, weeks and months of a time zone, measured in the ledger's quarter-hours of UTC.

Every zone's days have begun on a quarter-hour since 2012, so a local day is a whole number of quarters: 96, or
92 and 100 where the clocks change.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

QUARTER_SECONDS = 900
QUARTERS_AN_HOUR, QUARTERS_A_DAY = 4, 96
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


def last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


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


def local_days(stretch: Stretch) -> Iterator[tuple[int, Period]]:
    """The number of each local day in it, and the part of the stretch that it has."""
    start, end = stretch.period.start, stretch.period.end
    while start < end:
        number = (start + stretch.offset) // QUARTERS_A_DAY
        following = min((number + 1) * QUARTERS_A_DAY - stretch.offset, end)
        yield number, Period(start, following)
        start = following


@dataclass(frozen=True, slots=True)
class Midnight:
    """Where a zone's midnight cuts the days of UTC: `beyond` are the quarters of a day on its shorter side.

    They lie in the local day `step` (1 or -1) from that of the longer side, which has the UTC day's number and `days`
    more. `hours` are the nearest whole ones: the quarters `odd` are missing in them, or `too_many`.
    """

    days: int
    beyond: Period
    step: int
    hours: Period
    odd: tuple[int, ...]
    too_many: bool


def midnight(offset: int) -> Midnight:
    """That of clocks which stand `offset` quarters ahead."""
    days = round(offset / QUARTERS_A_DAY)
    rest = offset - days * QUARTERS_A_DAY
    beyond = range(QUARTERS_A_DAY - rest, QUARTERS_A_DAY) if rest > 0 else range(-rest)
    hours = Period(round(beyond.start / QUARTERS_AN_HOUR), round(beyond.stop / QUARTERS_AN_HOUR))
    nearest = range(hours.start * QUARTERS_AN_HOUR, hours.end * QUARTERS_AN_HOUR)
    return Midnight(
        days=days,
        beyond=Period(beyond.start, beyond.stop),
        step=1 if rest > 0 else -1,
        hours=hours,
        odd=tuple(sorted({*beyond} ^ {*nearest})),
        too_many=len(nearest) > len(beyond),
    )


def number_of(day: date) -> int:
    """How many days it is after 1 January 1970."""
    return (day - _FIRST_DAY).days


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of `size` quarters, from number `first` up to, not including, `end`."""

    size: int
    first: int
    end: int


def cover(period: Period, sizes: Sequence[int]) -> Iterator[Blocks]:
    """The fewest blocks that make up the period exactly. Each size is a multiple of the next; the last fits."""
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


def cover_either_way(period: Period, sizes: Sequence[int], sign: int = 1) -> Iterator[tuple[Blocks, int]]:
    """Blocks that make up the period exactly: some are added (1); of one that is mostly within it what is not is taken
    away (-1). Sizes as for `cover`.
    """
    size, *smaller = sizes
    first, end = -(-period.start // size), period.end // size
    rests: list[tuple[Period, int]]
    if first > end and 2 * (period.end - period.start) <= size:
        rests = [(period, sign)]
    elif not smaller:
        rests = []
    else:
        first, head = _nearest_start(period.start, first, size, sign)
        end, tail = _nearest_end(period.end, end, size, sign)
        rests = [head, tail]
    if first < end:
        yield Blocks(size, first, end), sign
    for rest, its_sign in rests:
        if rest.start < rest.end:
            yield from cover_either_way(rest, smaller, its_sign)


def _nearest_start(start: int, first: int, size: int, sign: int) -> tuple[int, tuple[Period, int]]:
    """The block to begin with, and what is missing before it or too much of it."""
    if first * size - start > size // 2:
        return first - 1, (Period((first - 1) * size, start), -sign)
    return first, (Period(start, first * size), sign)


def _nearest_end(end: int, last: int, size: int, sign: int) -> tuple[int, tuple[Period, int]]:
    if end - last * size > size // 2:
        return last + 1, (Period(end, (last + 1) * size), -sign)
    return last, (Period(last * size, end), sign)


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
