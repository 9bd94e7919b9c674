"""Questions to the roll-up's slices: sums of a period, of each local day, of each hour of the day."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, false, func, literal, select, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flask_app.domain import periods
from flask_app.domain.periods import QUARTERS_A_DAY, Blocks, Midnight, Period, Stretch
from flask_app.domain.ranges import Days
from flask_app.services.rollup import (
    DETAIL,
    MONTH,
    PERSON_CLOCK,
    PERSON_DAY,
    SITE_CLOCK,
    SITE_FOUR_HOURS,
    SITE_HOUR,
    SITE_QUARTER,
    SITE_TOTAL,
    Slice,
    rollup,
)
from flask_app.services.sums import SUMMED, Pile, Sum, figures, sum_of
from flask_app.services.whole import Quotient, RolledSum

HOURS_A_DAY = 24
_HOUR = SITE_HOUR.size
_figures = msgspec.json.Decoder(list[int])
_UNITED = 400  # queries in one: SQLite takes 500
_LISTED = 900  # blocks named in one query: of a thousand and more MariaDB makes a table first


def by_day(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[date, Sum]:
    """The sum of every local day of one person, or of the site; none left out."""
    shown = periods.days(days.first, days.last)
    sums = {periods.number_of(day): Sum() for day in shown}
    stretches = periods.stretches(periods.span(days.first, days.last, zone), zone)
    _add_up(session, sums, (query for stretch in stretches for query in _days_of(stretch, user_id)))
    return dict(zip(shown, sums.values(), strict=True))


def by_month(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[date, Sum]:
    """The sum of the part of every local month, by its first day; none left out."""
    months = sorted({periods.first_of_month(day) for day in periods.days(days.first, days.last)})
    sums = {month: Sum() for month in months}
    slices = (SITE_TOTAL, SITE_HOUR, SITE_QUARTER) if user_id is None else (PERSON_DAY, DETAIL)
    queries: list[Select[Any]] = []
    for number, following in enumerate([*months[1:], days.last + timedelta(days=1)]):
        period = periods.span(max(months[number], days.first), following - timedelta(days=1), zone)
        query = select(literal(number).label("part"), *figures()).group_by(rollup.c.currency)
        queries += (query.where(*each) for each in _parts(slices, period, user_id))
    for united in _united(queries):
        for row in session.execute(united):
            sums[months[row.part]].add(sum_of(row))
    return sums


def by_hour(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[int, Sum]:
    """The sum of what was used while local clocks showed each hour, from 0 to 23."""
    sums = {hour: Sum() for hour in range(HOURS_A_DAY)}
    stretches = periods.stretches(periods.span(days.first, days.last, zone), zone)
    _add_up(session, sums, (query for stretch in stretches for query in _hours_of(stretch, user_id)))
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
    parts = [query.where(*each) for each in _parts(slices, period, user_id)]
    return union_all(*(parts or [query.where(false())]))  # a day that a zone left out has none


def _parts(slices: tuple[Slice, ...], period: Period, user_id: str | None) -> Iterator[list[ColumnElement[Any]]]:
    by_size = {each.size: each for each in slices}
    for part in periods.cover(period, list(by_size)):
        yield _in_blocks(by_size[part.size], part.first, part.end, user_id)


def _add_up(session: Session, sums: dict[int, Sum], queries: Iterator[Select[Any]]) -> None:
    """Add what queries of `_sums` find to the sums of the numbers that it is part of."""
    pile = Pile()
    for query in _united(list(queries)):
        for number, step, currency, packed in session.execute(query):
            found = _figures.decode(packed)
            pile.add(number + step, currency, found)
            if step:
                pile.take(number, currency, found)
    pile.into(sums)


def _united(queries: list[Select[Any]]) -> Iterator[CompoundSelect[Any]]:
    for start in range(0, len(queries), _UNITED):
        yield union_all(*queries[start : start + _UNITED])


def _days_of(stretch: Stretch, user_id: str | None) -> Iterator[Select[Any]]:
    """By local days: those of UTC, and what of them lies beyond midnight is moved to the day beside."""
    midnight = periods.midnight(stretch.offset)
    for part in periods.cover(stretch.period, (QUARTERS_A_DAY, 1)):
        if part.size == 1:
            yield from _edges_of_days(Stretch(Period(part.first, part.end), stretch.offset), user_id)
        else:
            each = SITE_TOTAL if user_id is None else PERSON_DAY
            yield _sums(rollup.c.block + midnight.days, _in_blocks(each, part.first, part.end, user_id))
            yield from _beyond(midnight, part, user_id)


def _edges_of_days(stretch: Stretch, user_id: str | None) -> Iterator[Select[Any]]:
    each = (SITE_HOUR, SITE_QUARTER) if user_id is None else (DETAIL,)
    for day, period in periods.local_days(stretch):
        for where in _parts(each, period, user_id):
            yield _sums(literal(day), where)


def _beyond(midnight: Midnight, days: Blocks, user_id: str | None) -> Iterator[Select[Any]]:
    """What of these days lies beyond midnight: a person's quarters; the site's nearest hours, and the one or two
    quarters a day by which these are too many or too few."""
    slices = (DETAIL,) if user_id is not None else (SITE_FOUR_HOURS, SITE_HOUR)
    beyond, by_size, block = midnight.beyond, {each.size: each for each in slices}, rollup.c.block
    if user_id is None:
        beyond = Period(midnight.hours.start * _HOUR, midnight.hours.end * _HOUR)
    for part in periods.cover(beyond, list(by_size)):
        a_day = QUARTERS_A_DAY // part.size
        where = _in_blocks(by_size[part.size], days.first * a_day, days.end * a_day, user_id)
        of_day = (block % a_day >= part.first, block % a_day < part.end)
        yield _sums(Quotient(block, a_day) + midnight.days, [*where, *of_day], step=midnight.step)
    if user_id is None and midnight.odd:
        yield from _odd(midnight, days)


def _odd(midnight: Midnight, days: Blocks) -> Iterator[Select[Any]]:
    """The site's quarters by which whole hours are wrong."""
    moved = (midnight.step, -midnight.step) if midnight.too_many else (0, midnight.step)  # those go back
    day = Quotient(rollup.c.block, QUARTERS_A_DAY) + midnight.days + moved[0]
    odd = [number * QUARTERS_A_DAY + quarter for number in range(days.first, days.end) for quarter in midnight.odd]
    for start in range(0, len(odd), _LISTED):
        where = [*rows(SITE_QUARTER, None), rollup.c.block.in_(odd[start : start + _LISTED])]
        yield _sums(day, where, step=moved[1])


def _hours_of(stretch: Stretch, user_id: str | None) -> Iterator[Select[Any]]:
    """By the hours that local clocks show: whole months by UTC's clock."""
    for part in periods.cover(stretch.period, (MONTH, 1)):
        each = SITE_CLOCK if user_id is None else PERSON_CLOCK
        if part.size == 1:
            is_odd = any(edge % _HOUR for edge in (part.first, part.end, stretch.offset))
            each = DETAIL if user_id is not None else SITE_QUARTER if is_odd else SITE_HOUR
        blocks = each.blocks_of(Period(part.first * part.size, part.end * part.size))
        quarter = rollup.c.block * (_HOUR if each is SITE_HOUR else 1) + stretch.offset
        hour = Quotient(quarter, _HOUR) % HOURS_A_DAY
        yield _sums(hour, _in_blocks(each, blocks.start, blocks.end, user_id))


def _sums(number: ColumnElement[int], where: list[ColumnElement[Any]], *, step: int = 0) -> Select[Any]:
    """Sums by `number` and currency. With a step they are moved so far from the number.

    They come in one piece: thousands of rows take the longer to be read the more columns they have.
    """
    packed = func.json_array(*(RolledSum(rollup.c[name]) for name in SUMMED))
    query = select(number.label("number"), literal(step).label("step"), rollup.c.currency, packed)
    return query.where(*where).group_by("number", rollup.c.currency)


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
