"""Sums of each local day and month. A day is made of the roll-up's blocks, and these are looked up from one list.

So there is one statement for every time zone and range: a union of the parts would be as many statements as there are
ranges, of some seventy queries each.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from flask_app.domain import periods
from flask_app.domain.periods import QUARTERS_A_DAY, QUARTERS_AN_HOUR, Blocks, Midnight, Period, Stretch
from flask_app.domain.ranges import Days
from flask_app.services.ledger.rollup import (
    DETAIL,
    PERSON_DAY,
    PERSON_FOUR_HOURS,
    SITE_FOUR_HOURS,
    SITE_HOUR,
    SITE_QUARTER,
    SITE_TOTAL,
    Slice,
    rollup,
)
from flask_app.services.queries import join_order, listed, packed
from flask_app.services.queries.whole import Quotient, rolled_sum
from flask_app.services.usage import slices
from flask_app.services.usage.sums import SUMMED, Pile, Sum

_BUNDLE = 32  # moves whose rows are read in one piece

Sums = dict[date, Sum]  # each of a local day, or of a month by its first day
Naming = Callable[[int], date]  # the key of a local day, which is given as days after 1 January 1970
Move = tuple[date, date | None]  # into one sum, and out of another
_Block = tuple[Slice, int, Move, int]  # the last is -1 where the block is of what is moved too much


def by_day(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> Sums:
    """The sum of every local day of one person, or of the site; none left out."""
    day_of = _dates(days)
    sums = {day: Sum() for day in day_of.values()}
    _add_up(session, sums, _blocks(zone, days, day_of.__getitem__, user_id), user_id)
    return sums


def by_month(session: Session, zone: ZoneInfo, days: Days, user_id: str | None) -> Sums:
    """The sum of the part of every local month, by its first day; none left out."""
    month_of = {number: periods.first_of_month(day) for number, day in _dates(days).items()}
    sums = {month: Sum() for month in month_of.values()}
    _add_up(session, sums, _blocks(zone, days, month_of.__getitem__, user_id), user_id)
    return sums


def _dates(days: Days) -> dict[int, date]:
    """The days by their numbers. The number before them stands for the first too: where a day began within a quarter of
    an hour, as some did long ago, its first quarters have it.
    """
    before = periods.number_of(days.first) - 1
    return {before + n: day for n, day in enumerate([days.first, *periods.days(days.first, days.last)])}


def _add_up(session: Session, sums: Sums, blocks: Iterator[_Block], user_id: str | None) -> None:
    """Add what the blocks hold to the sums that it is part of."""
    numbers: defaultdict[Move, int] = defaultdict(lambda: len(numbers))
    looked_up = [(each.name, block, numbers[move], sign) for each, block, move, sign in blocks]
    moves, pile = list(numbers), Pile[date]()
    whose = {} if user_id is None else {"user_id": user_id}
    values = {"looked_up": listed.parameter(looked_up), **whose}
    for number, currency, *figures in packed.rows(session, _of_blocks(of_person=user_id is not None), values):
        into, out_of = moves[number]
        pile.add(into, currency, figures)
        if out_of is not None:
            pile.take(out_of, currency, figures)
    pile.into(sums)


@cache  # one for everybody's days, one for a person's
def _of_blocks(*, of_person: bool) -> Select[str]:
    """The figures of the blocks `looked_up`, by their move and currency, in pieces."""
    block = listed.blocks("looked_up")
    figures = (rolled_sum(rollup.c[name], block.c.sign).label(name) for name in SUMMED)
    whose = [rollup.c.user_id == bindparam("user_id")] if of_person else []
    query = select(block.c.move, rollup.c.currency, *figures).select_from(block, rollup)
    query = query.where(rollup.c.slice == block.c.slice, rollup.c.block == block.c.block, *whose)
    found = join_order.as_named(query).group_by(block.c.move, rollup.c.currency).subquery()
    return packed.pieces(found, Quotient(found.c.move, _BUNDLE))


def _blocks(zone: ZoneInfo, days: Days, name: Naming, user_id: str | None) -> Iterator[_Block]:
    """What the days are made of: days of UTC, and what of them lies beyond midnight is moved to the day beside."""
    for stretch in periods.stretches(periods.span(days.first, days.last, zone), zone):
        for part in periods.cover(stretch.period, (QUARTERS_A_DAY, 1)):
            if part.size == 1:
                yield from _edges(Stretch(Period(part.first, part.end), stretch.offset), name, user_id)
            else:
                yield from _whole_days(part, periods.midnight(stretch.offset), name, user_id)


def _edges(stretch: Stretch, name: Naming, user_id: str | None) -> Iterator[_Block]:
    fine = (SITE_FOUR_HOURS, SITE_HOUR, SITE_QUARTER) if user_id is None else (PERSON_FOUR_HOURS, DETAIL)
    for day, period in periods.local_days(stretch):
        for each, first, end in slices.covering(period, fine):
            yield from ((each, block, (name(day), None), 1) for block in range(first, end))


def _whole_days(part: Blocks, midnight: Midnight, name: Naming, user_id: str | None) -> Iterator[_Block]:
    each = SITE_TOTAL if user_id is None else PERSON_DAY
    pieces = list(_beyond(midnight, user_id))
    for day in range(part.first, part.end):
        own = name(day + midnight.days)
        yield each, day, (own, None), 1
        beside = name(day + midnight.days + midnight.step) if pieces else own
        if beside != own:
            for piece, block, sign in pieces:
                yield piece, day * (QUARTERS_A_DAY // piece.size) + block, (beside, own), sign


def _beyond(midnight: Midnight, user_id: str | None) -> Iterator[tuple[Slice, int, int]]:
    """The blocks of a day that make up what lies beyond midnight, by their number in it, and their sign.

    A person's are exact. The site's are whole hours, and the quarters by which these are too many or too few.
    """
    beyond, fine = midnight.beyond, (PERSON_FOUR_HOURS, DETAIL)
    if user_id is None:
        sign = -1 if midnight.too_many else 1
        yield from ((SITE_QUARTER, quarter, sign) for quarter in midnight.odd)
        first, end = (hour * QUARTERS_AN_HOUR for hour in (midnight.hours.start, midnight.hours.end))
        beyond, fine = Period(first, end), (SITE_FOUR_HOURS, SITE_HOUR)
    for each, first, end in slices.covering(beyond, fine):
        yield from ((each, block, 1) for block in range(first, end))
