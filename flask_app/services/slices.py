"""Questions to the roll-up's slices: sums of a period, of each local day, of each hour of the day."""

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, select, union_all
from sqlalchemy.orm import Session

from flask_app.domain import periods
from flask_app.domain.periods import Period, Stretch
from flask_app.domain.ranges import Days
from flask_app.services.rollup import DETAIL, SITE_HOUR, SITE_QUARTER, Slice, rollup
from flask_app.services.sums import Sum, figures, sum_of

HOURS_A_DAY = 24
PartOf = Callable[[ColumnElement[int], Slice], ColumnElement[int]]


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
    block = session.scalar(
        select(rollup.c.block).where(rollup.c.slice == each.name, *_of(user_id)).order_by(rollup.c.block).limit(1)
    )
    return None if block is None else periods.local_day(periods.moment_of(block), zone)


def of_period(
    query: Select[Any], slices: tuple[Slice, ...], period: Period, user_id: str | None
) -> CompoundSelect[Any]:
    """The query of each part that makes up the period, by the fewest rows that these slices (the coarsest first) have.

    A part is a query of its own: databases look for several ranges in one by the person alone, and read all of theirs.
    """
    by_size = {each.size: each for each in slices}
    parts = periods.cover(period, list(by_size))
    ranges = [_in_blocks(by_size[part.size], part.first, part.end) for part in parts]
    return union_all(*(query.where(blocks, *_of(user_id)) for blocks in ranges))


def _by_clock(
    session: Session, zone: ZoneInfo, days: Days, user_id: str | None, part_of: PartOf
) -> list[tuple[int, Sum]]:
    stretches = periods.stretches(periods.span(days.first, days.last, zone), zone)
    each = DETAIL if user_id is not None else _coarsest(stretches)
    queries = [_told_apart(part, each, part_of).where(*_of(user_id)) for part in stretches]
    return [(int(row.part), sum_of(row)) for row in session.execute(union_all(*queries))]


def _coarsest(stretches: list[Stretch]) -> Slice:
    edges = (edge for part in stretches for edge in (part.period.start, part.offset))
    return SITE_HOUR if all(edge % SITE_HOUR.size == 0 for edge in edges) else SITE_QUARTER


def _told_apart(part: Stretch, each: Slice, part_of: PartOf) -> Select[Any]:
    local = rollup.c.block + part.offset // each.size
    column = part_of(local, each)
    blocks = _in_blocks(each, part.period.start // each.size, part.period.end // each.size)
    return select(column.label("part"), *figures()).where(blocks).group_by(column, rollup.c.currency)


def _day(local: ColumnElement[int], each: Slice) -> ColumnElement[int]:
    return local // (periods.QUARTERS_A_DAY // each.size)


def _hour(local: ColumnElement[int], each: Slice) -> ColumnElement[int]:
    return local // (periods.QUARTERS_A_DAY // HOURS_A_DAY // each.size) % HOURS_A_DAY


def _of(user_id: str | None) -> list[ColumnElement[bool]]:
    return [] if user_id is None else [rollup.c.user_id == user_id]


def _in_blocks(each: Slice, first: int, end: int) -> ColumnElement[bool]:
    return and_(rollup.c.slice == each.name, rollup.c.block >= first, rollup.c.block < end)
