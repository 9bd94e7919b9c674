"""Questions to the roll-up's slices: sums of a period, of each local day, of each hour of the day."""

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, select, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flask_app.domain import periods
from flask_app.domain.periods import Period, Stretch
from flask_app.domain.ranges import Days
from flask_app.services.rollup import DETAIL, SITE_HOUR, SITE_QUARTER, Slice, rollup
from flask_app.services.sums import Sum, figures, sum_of

HOURS_A_DAY = 24
_PartOf = Callable[[ColumnElement[int], Slice], ColumnElement[int]]


def by_day(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[date, Sum]:
    """The sum of every local day of one person, or of the site; none left out."""
    sums = {day: Sum() for day in periods.days(days.first, days.last)}
    for number, part in _by_clock(session, zone, days, user_id, _day):
        sums[periods.day_number(number)].add(part)
    return sums


def by_hour(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[int, Sum]:
    """The sum of what was used while local clocks showed each hour, from 0 to 23."""
    sums = {hour: Sum() for hour in range(HOURS_A_DAY)}
    for hour, part in _by_clock(session, zone, days, user_id, _hour):
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
    by_size = {each.size: each for each in slices}
    parts = periods.cover(period, list(by_size))
    ranges = [_in_blocks(by_size[part.size], part.first, part.end, user_id) for part in parts]
    return union_all(*(query.where(*each) for each in ranges))


def _by_clock(
    session: Session, zone: ZoneInfo, days: Days, user_id: str | None, part_of: _PartOf
) -> list[tuple[int, Sum]]:
    stretches = periods.stretches(periods.span(days.first, days.last, zone), zone)
    each = DETAIL if user_id is not None else _coarsest(stretches)
    queries = [_told_apart(part, each, part_of, user_id) for part in stretches]
    return [(int(row.part), sum_of(row)) for row in session.execute(union_all(*queries))]


def _coarsest(stretches: list[Stretch]) -> Slice:
    edges = (edge for part in stretches for edge in (part.period.start, part.offset))
    return SITE_HOUR if all(edge % SITE_HOUR.size == 0 for edge in edges) else SITE_QUARTER


def _told_apart(part: Stretch, each: Slice, part_of: _PartOf, user_id: str | None) -> Select[Any]:
    local = rollup.c.block + part.offset // each.size
    column = part_of(local, each)
    blocks = _in_blocks(each, part.period.start // each.size, part.period.end // each.size, user_id)
    return select(column.label("part"), *figures()).where(*blocks).group_by(column, rollup.c.currency)


def _day(local: ColumnElement[int], each: Slice) -> ColumnElement[int]:
    return local // (periods.QUARTERS_A_DAY // each.size)


def _hour(local: ColumnElement[int], each: Slice) -> ColumnElement[int]:
    return local // (periods.QUARTERS_A_DAY // HOURS_A_DAY // each.size) % HOURS_A_DAY


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
