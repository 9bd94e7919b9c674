"""Questions to the roll-up's slices: sums of a period, of each local day, of each hour of the day."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, literal, select, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flask_app.domain import periods
from flask_app.domain.periods import QUARTERS_A_DAY, Period, Stretch
from flask_app.domain.ranges import Days
from flask_app.services.rollup import (
    DETAIL,
    PERSON_DAY,
    PERSON_HOUR,
    SITE_DAY,
    SITE_HOUR,
    SITE_QUARTER,
    Slice,
    rollup,
)
from flask_app.services.sums import Sum, figures, sum_of

HOURS_A_DAY = 24
_HOUR = SITE_HOUR.size
_ToldApart = Callable[[Stretch, Slice, Slice, str | None], Iterator[Select[Any]]]


def by_day(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[date, Sum]:
    """The sum of every local day of one person, or of the site; none left out."""
    sums = {day: Sum() for day in periods.days(days.first, days.last)}
    for number, part in _added_up(session, zone, days, user_id, _days_of):
        sums[periods.day_number(number)].add(part)
    return sums


def by_month(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[date, Sum]:
    """The sum of the part of every local month, by its first day; none left out."""
    months = sorted({periods.first_of_month(day) for day in periods.days(days.first, days.last)})
    sums = {month: Sum() for month in months}
    slices = (SITE_DAY, SITE_HOUR, SITE_QUARTER) if user_id is None else (PERSON_DAY, PERSON_HOUR, DETAIL)
    queries: list[Select[Any]] = []
    for number, following in enumerate([*months[1:], days.last + timedelta(days=1)]):
        period = periods.span(max(months[number], days.first), following - timedelta(days=1), zone)
        query = select(literal(number).label("part"), *figures()).group_by(rollup.c.currency)
        queries += (query.where(*each) for each in _parts(slices, period, user_id))
    for row in session.execute(union_all(*queries)):
        sums[months[int(row.part)]].add(sum_of(row))
    return sums


def by_hour(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[int, Sum]:
    """The sum of what was used while local clocks showed each hour, from 0 to 23."""
    sums = {hour: Sum() for hour in range(HOURS_A_DAY)}
    for hour, part in _added_up(session, zone, days, user_id, _hours_of):
        sums[hour].add(part)
    return sums


def first_day(session: Session, zone: ZoneInfo, user_id: str | None) -> date | None:
    """The local day of the first use there is."""
    each = SITE_QUARTER if user_id is None else DETAIL
    block = session.scalar(select(rollup.c.block).where(*rows(each, user_id)).order_by(rollup.c.block).limit(1))
    return None if block is None else periods.local_day(periods.moment_of(block), zone)


def rows(each: Slice, user_id: str | None) -> list[ColumnElement[Any]]:
    """All of a slice, or those of one person, which are found by the person's index."""
    in_slice = rollup.c.slice == each.name
    return [in_slice] if user_id is None else [rollup.c.user_id == user_id, _Likely(in_slice)]


def of_period(
    query: Select[Any], slices: tuple[Slice, ...], period: Period, user_id: str | None
) -> CompoundSelect[Any]:
    """The query of each part that makes up the period, by the fewest rows that these slices (the coarsest first) have.

    A part is a query of its own: databases look for several ranges in one by the person alone, and read all of theirs.
    """
    return union_all(*(query.where(*each) for each in _parts(slices, period, user_id)))


def _parts(slices: tuple[Slice, ...], period: Period, user_id: str | None) -> Iterator[list[ColumnElement[Any]]]:
    by_size = {each.size: each for each in slices}
    for part in periods.cover(period, list(by_size)):
        yield _in_blocks(by_size[part.size], part.first, part.end, user_id)


def _added_up(
    session: Session, zone: ZoneInfo, days: Days, user_id: str | None, told_apart: _ToldApart
) -> list[tuple[int, Sum]]:
    """The queries of each stretch between changes of the zone's clocks, together."""
    stretches = periods.stretches(periods.span(days.first, days.last, zone), zone)
    slices = (SITE_HOUR, SITE_QUARTER) if user_id is None else (PERSON_HOUR, DETAIL)
    queries = [query for stretch in stretches for query in told_apart(stretch, *slices, user_id)]
    return [(int(row.part), sum_of(row)) for row in session.execute(union_all(*queries))]


def _days_of(stretch: Stretch, hours: Slice, quarters: Slice, user_id: str | None) -> Iterator[Select[Any]]:
    """By local days: hours of UTC that lie within one, quarters of those that lie in two, and of edges."""
    period, offset, block = stretch.period, stretch.offset, rollup.c.block
    first, end = -(-period.start // _HOUR), max(period.end // _HOUR, -(-period.start // _HOUR))
    of_hour, of_quarter = block * _HOUR + offset, block + offset
    day, day_of_quarter = (_Quotient(quarter, QUARTERS_A_DAY) for quarter in (of_hour, of_quarter))
    if offset % _HOUR == 0:
        yield _sums(day, _in_blocks(hours, first, end, user_id))
    else:
        last = QUARTERS_A_DAY - _HOUR  # an hour that begins later reaches into the next day
        inner = _in_blocks(quarters, first * _HOUR, end * _HOUR, user_id)
        yield _sums(day, [*_in_blocks(hours, first, end, user_id), of_hour % QUARTERS_A_DAY <= last])
        yield _sums(day_of_quarter, [*inner, (of_quarter - block % _HOUR) % QUARTERS_A_DAY > last])
    for start, stop in ((period.start, min(first * _HOUR, period.end)), (end * _HOUR, period.end)):
        if start < stop:
            yield _sums(day_of_quarter, _in_blocks(quarters, start, stop, user_id))


def _hours_of(stretch: Stretch, hours: Slice, quarters: Slice, user_id: str | None) -> Iterator[Select[Any]]:
    """By the hours that local clocks show: those of UTC where they begin together."""
    period = stretch.period
    each = quarters if any(edge % _HOUR for edge in (period.start, period.end, stretch.offset)) else hours
    blocks = _in_blocks(each, period.start // each.size, period.end // each.size, user_id)
    local = rollup.c.block * each.size + stretch.offset
    yield _sums(_Quotient(local, _HOUR) % HOURS_A_DAY, blocks)


def _sums(part: ColumnElement[int], where: list[ColumnElement[Any]]) -> Select[Any]:
    return select(part.label("part"), *figures()).where(*where).group_by(part, rollup.c.currency)


def _in_blocks(each: Slice, first: int, end: int, user_id: str | None) -> list[ColumnElement[Any]]:
    return [*rows(each, user_id), rollup.c.block >= first, rollup.c.block < end]


class _Likely(FunctionElement[int]):
    """A condition that says little. SQLite counts no rows: without a word it reads the slice of everybody instead of
    the person's part of it."""

    inherit_cache = True
    type = Integer()  # of a truth SQLAlchemy would make `… = 1` here, which is no condition of an index


@compiles(_Likely)
def _as_it_is(condition: _Likely, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(condition.clauses, **options)


@compiles(_Likely, "sqlite")
def _for_sqlite(condition: _Likely, compiler: SQLCompiler, **options: Any) -> str:
    return f"likely({compiler.process(condition.clauses, **options)})"


class _Quotient(FunctionElement[int]):
    """Of two whole numbers, rounded down. For `//` MariaDB would divide decimals, row by row."""

    inherit_cache = True
    type = Integer()

    def __init__(self, dividend: ColumnElement[int], divisor: int) -> None:
        super().__init__(dividend, literal(divisor))


@compiles(_Quotient)
def _whole(quotient: _Quotient, compiler: SQLCompiler, **options: Any) -> str:
    dividend, divisor = (compiler.process(each, **options) for each in quotient.clauses)
    return f"(({dividend}) DIV {divisor})"


@compiles(_Quotient, "sqlite")
def _whole_on_sqlite(quotient: _Quotient, compiler: SQLCompiler, **options: Any) -> str:
    dividend, divisor = (compiler.process(each, **options) for each in quotient.clauses)
    return f"(({dividend}) / {divisor})"
