"""Questions to the roll-up's slices: sums of a period, of each local day, of each hour of the day."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Select,
    Subquery,
    false,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flask_app.domain import periods
from flask_app.domain.periods import QUARTERS_A_DAY, Midnight, Period, Stretch
from flask_app.domain.ranges import Days
from flask_app.services import packed
from flask_app.services.calendars import Calendar, EachDay, Together
from flask_app.services.rollup import (
    DETAIL,
    MONTH,
    PERSON_CLOCK,
    PERSON_DAY,
    PERSON_FOUR_HOURS,
    SITE_CLOCK,
    SITE_FOUR_HOURS,
    SITE_HOUR,
    SITE_QUARTER,
    SITE_TOTAL,
    Slice,
    rollup,
)
from flask_app.services.sums import SUMMED, Pile, Sum
from flask_app.services.whole import Quotient, RolledSum

HOURS_A_DAY = 24
_HOUR = SITE_HOUR.size
_UNITED = 400  # queries in one: SQLite takes 500
_BUNDLE = 32  # numbers whose rows are read in one piece


def by_day(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[date, Sum]:
    """The sum of every local day of one person, or of the site; none left out."""
    shown = periods.days(days.first, days.last)
    sums = {periods.number_of(day): Sum() for day in shown}
    stretches = periods.stretches(periods.span(days.first, days.last, zone), zone)
    _add_up(session, sums, (query for stretch in stretches for query in _days_of(stretch, EachDay(), user_id)))
    return dict(zip(shown, sums.values(), strict=True))


def by_month(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[date, Sum]:
    """The sum of the part of every local month, by its first day; none left out."""
    months = sorted({periods.first_of_month(day) for day in periods.days(days.first, days.last)})
    sums = {number: Sum() for number in range(len(months))}
    calendar = Together(tuple(map(periods.number_of, months)))
    stretches = periods.stretches(periods.span(days.first, days.last, zone), zone)
    _add_up(session, sums, (query for stretch in stretches for query in _days_of(stretch, calendar, user_id)))
    return dict(zip(months, sums.values(), strict=True))


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
    pile = Pile[int]()
    for query in _united(list(queries)):
        found = query.subquery()
        for number, step, currency, *figures in packed.rows(session, found, Quotient(found.c.number, _BUNDLE)):
            pile.add(number + step, currency, figures)
            if step:
                pile.take(number, currency, figures)
    pile.into(sums)


def _united(queries: list[Select[Any]]) -> Iterator[CompoundSelect[Any]]:
    for start in range(0, len(queries), _UNITED):
        yield union_all(*queries[start : start + _UNITED])


def _days_of(stretch: Stretch, calendar: Calendar, user_id: str | None) -> Iterator[Select[Any]]:
    """By local days: those of UTC, and what of them lies beyond midnight is moved to the day beside."""
    midnight = periods.midnight(stretch.offset)
    for part in periods.cover(stretch.period, (QUARTERS_A_DAY, 1)):
        if part.size == 1:
            yield from _edges_of_days(Stretch(Period(part.first, part.end), stretch.offset), calendar, user_id)
        else:
            each = SITE_TOTAL if user_id is None else PERSON_DAY
            where = _in_blocks(each, part.first, part.end, user_id)
            yield _sums(rollup, calendar.of_column(rollup.c.block + midnight.days), where)
            if midnight.beyond.start < midnight.beyond.end:
                yield _beyond(midnight, where, calendar, user_id)


def _edges_of_days(stretch: Stretch, calendar: Calendar, user_id: str | None) -> Iterator[Select[Any]]:
    each = (SITE_FOUR_HOURS, SITE_HOUR, SITE_QUARTER) if user_id is None else (PERSON_FOUR_HOURS, DETAIL)
    for day, period in periods.local_days(stretch):
        for where in _parts(each, period, user_id):
            yield _sums(rollup, literal(calendar.of(day)), where)


def _beyond(midnight: Midnight, days: list[ColumnElement[Any]], calendar: Calendar, user_id: str | None) -> Select[Any]:
    """What lies beyond midnight of the days, whose rows are `days`, that another number begins after or before.

    Each of the pieces is looked up by its block: most of a slice's rows are of other hours.
    """
    if (firsts := calendar.firsts()) is not None:
        on_other_side = [first - midnight.days - (midnight.step == 1) for first in firsts]
        days = [*days, rollup.c.block.in_(on_other_side)]
    used = select(rollup.c.block).where(*days).distinct().subquery()
    number = calendar.of_column(used.c.block + midnight.days)
    looked_up = [
        _looked_up(each, used, pieces, user_id).add_columns(number.label("number"))
        for each, pieces in _pieces(midnight, user_id).items()
    ]
    found = union_all(*looked_up).subquery()
    return _sums(found, found.c.number, [], step=midnight.step)


def _pieces(midnight: Midnight, user_id: str | None) -> dict[Slice, dict[int, int]]:
    """The blocks of a day that make up what lies beyond midnight, by their number in it: 1, or -1 for too many.

    A person's are exact. The site's are whole hours, and the quarters by which these are too many or too few.
    """
    pieces: defaultdict[Slice, dict[int, int]] = defaultdict(dict)
    beyond, slices = midnight.beyond, (PERSON_FOUR_HOURS, DETAIL)
    if user_id is None:
        beyond, slices = Period(midnight.hours.start * _HOUR, midnight.hours.end * _HOUR), (SITE_FOUR_HOURS, SITE_HOUR)
    by_size = {each.size: each for each in slices}
    for part in periods.cover(beyond, list(by_size)) if beyond.start < beyond.end else ():
        pieces[by_size[part.size]] |= dict.fromkeys(range(part.first, part.end), 1)
    if user_id is None and midnight.odd:
        pieces[SITE_QUARTER] = dict.fromkeys(midnight.odd, -1 if midnight.too_many else 1)
    return pieces


def _looked_up(each: Slice, used: Subquery, pieces: dict[int, int], user_id: str | None) -> Select[Any]:
    """The figures of these blocks of every day of `used`."""
    listed = [select(literal(block).label("of_day"), literal(sign).label("sign")) for block, sign in pieces.items()]
    piece = union_all(*listed).subquery()
    block = used.c.block * (QUARTERS_A_DAY // each.size) + piece.c.of_day
    figures = ((rollup.c[name] * piece.c.sign).label(name) for name in SUMMED)
    query = select(rollup.c.currency, *figures).select_from(used, piece, rollup)
    return query.where(*rows(each, user_id), rollup.c.block == block).prefix_with("STRAIGHT_JOIN", dialect="mysql")


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
        yield _sums(rollup, hour, _in_blocks(each, blocks.start, blocks.end, user_id))


def _sums(
    table: FromClause, number: ColumnElement[int], where: list[ColumnElement[Any]], *, step: int = 0
) -> Select[Any]:
    """Sums of a table's figures by `number` and currency. With a step they are moved so far from the number."""
    figures = (RolledSum(table.c[name]).label(name) for name in SUMMED)
    query = select(number.label("number"), literal(step).label("step"), table.c.currency, *figures)
    return query.where(*where).group_by("number", table.c.currency)


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
