"""Questions to the roll-up's slices: sums of a period, and of each hour of the day."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    false,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from flask_app.domain import periods
from flask_app.domain.periods import Period, Stretch
from flask_app.domain.ranges import Days
from flask_app.services.ledger.rollup import (
    DETAIL,
    FIGURES,
    MONTH,
    PERSON_CLOCK,
    SITE_CLOCK,
    SITE_HOUR,
    SITE_QUARTER,
    Slice,
    rollup,
)
from flask_app.services.queries import packed
from flask_app.services.queries.likely import Likely
from flask_app.services.queries.whole import Quotient
from flask_app.services.usage.sums import Pile, Sum, figures

HOURS_A_DAY = 24
_HOUR = SITE_HOUR.size
_BUNDLE = 32  # numbers whose rows are read in one piece


def by_hour(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> dict[int, Sum]:
    """The sum of what was used while local clocks showed each hour, from 0 to 23."""
    sums = {hour: Sum() for hour in range(HOURS_A_DAY)}
    stretches = periods.stretches(periods.span(days.first, days.last, zone), zone)
    queries = [query for stretch in stretches for query in _hours_of(stretch, user_id)]
    if queries:  # a day that a zone left out has none
        _add_up(session, sums, queries)
    return sums


def first_day(session: Session, zone: ZoneInfo, user_id: str | None) -> date | None:
    """The local day of the first use there is."""
    each = SITE_QUARTER if user_id is None else DETAIL
    block = session.scalar(select(rollup.c.block).where(*rows(each, user_id)).order_by(rollup.c.block).limit(1))
    return None if block is None else periods.local_day(periods.moment_of(block), zone)


def rows(each: Slice, user_id: str | None) -> list[ColumnElement[Any]]:
    """All of a slice, or those of one person, which are found by the person's index.

    Without a word SQLite would read the slice of everybody instead of the person's part of it.
    """
    in_slice = rollup.c.slice == each.name
    return [in_slice] if user_id is None else [rollup.c.user_id == user_id, Likely(in_slice)]


def of_period(
    query: Select[Any], slices: tuple[Slice, ...], period: Period, user_id: str | None
) -> CompoundSelect[Any]:
    """The query of each part that makes up the period, by the fewest rows that these slices (the coarsest first) have.

    A part is a query of its own: databases look for several ranges in one by the person alone, and read all of theirs.
    """
    parts = [query.where(*_in_blocks(*part, user_id)) for part in covering(period, slices)]
    return union_all(*(parts or [query.where(false())]))  # a day that a zone left out has none


def of_period_either_way(
    query: Select[Any], slices: tuple[Slice, ...], period: Period, user_id: str | None
) -> CompoundSelect[Any]:
    """The same with fewer rows: of a block that is mostly within the period what is not is taken away by a part whose
    figures are negative. Groups that were not used within the period may come with figures that add up to nothing.
    """
    by_size, parts = {each.size: each for each in slices}, []
    for part, sign in periods.cover_either_way(period, list(by_size)):
        found = query.where(*_in_blocks(by_size[part.size], part.first, part.end, user_id))
        parts.append(found if sign > 0 else _negative(found))
    return union_all(*(parts or [query.where(false())]))


def _negative(query: Select[Any]) -> Select[Any]:
    found = query.subquery()
    return select(*((-each).label(each.name) if each.name in FIGURES else each for each in found.c))


def covering(period: Period, slices: tuple[Slice, ...]) -> Iterator[tuple[Slice, int, int]]:
    """The fewest blocks that make up the period, from the first up to the one after the last. Coarsest slices first."""
    by_size = {each.size: each for each in slices}
    for part in periods.cover(period, list(by_size)) if period.start < period.end else ():
        yield by_size[part.size], part.first, part.end


def _add_up(session: Session, sums: dict[int, Sum], queries: list[Select[Any]]) -> None:
    """Add what queries of `_sums` find to the sums of the numbers that it is part of."""
    pile = Pile[int]()
    found = union_all(*queries).subquery()
    pieces = packed.pieces(found, Quotient(found.c.number, _BUNDLE))
    for number, currency, *added in packed.rows(session, pieces):
        pile.add(number, currency, added)
    pile.into(sums)


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


def _sums(number: ColumnElement[int], where: list[ColumnElement[Any]]) -> Select[Any]:
    """Sums by `number` and currency."""
    query = select(number.label("number"), *figures())
    return query.where(*where).group_by("number", rollup.c.currency)


def _in_blocks(each: Slice, first: int, end: int, user_id: str | None) -> list[ColumnElement[Any]]:
    return [*rows(each, user_id), rollup.c.block >= first, rollup.c.block < end]
