"""Statistics from the roll-up: one's own, and the whole site's. Days are those of the reader's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_, select, union_all
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import reading, table_of
from flask_app.domain import periods
from flask_app.domain.periods import Period, Stretch
from flask_app.errors import BadRequest
from flask_app.models import ApiKey, User
from flask_app.services.rollup import DETAIL, PERSON_DAY, PERSON_MONTH, SITE_DAY, SITE_HOUR, SITE_QUARTER, Slice, rollup
from flask_app.services.sums import Sum, figures, sum_of

SHOWN_DAYS = 30
MAX_DAYS = 731


@dataclass(frozen=True, slots=True)
class _Grouping:
    """What a group is, which slices tell it apart (the coarsest first), and whose column names it."""

    column: ColumnElement[Any]
    slices: tuple[Slice, ...]
    target: ColumnElement[Any] | None = None
    label: ColumnElement[Any] | None = None


_users, _keys = table_of(User), table_of(ApiKey)
_LABELS = {
    "user": _Grouping(rollup.c.user_id, (PERSON_MONTH, PERSON_DAY, DETAIL), _users.c.id, _users.c.username),
    "key": _Grouping(rollup.c.key_id, (SITE_DAY, DETAIL), _keys.c.id, _keys.c.label),
    "model": _Grouping(rollup.c.model, (SITE_DAY, DETAIL)),
}
GROUPINGS = (*_LABELS, "day")


@dataclass(frozen=True, slots=True)
class Summary:
    """A person's or the site's use. `days` are the last thirty, today included, none left out."""

    timezone: str
    today: Sum
    week: Sum
    month: Sum
    total: Sum
    days: dict[date, Sum]


@dataclass(frozen=True, slots=True)
class Group:
    """The use of one user, model, key or day. `key` is empty for what had no key."""

    key: str
    label: str
    sum: Sum


@dataclass(frozen=True, slots=True)
class DateRange:
    """Local days, both within; None is open."""

    first: date | None = None
    last: date | None = None


def zone_of(reader: User) -> ZoneInfo:
    """The time zone a person chose, else the site's."""
    return ZoneInfo(reader.timezone or config.current().site_timezone)


def own_summary(actor: User, now: datetime) -> Summary:
    """What `actor` used today, this week (from Monday), this month, in all, and on each of the last thirty days."""
    return _summary(zone_of(actor), now, actor.id)


def site_summary(reader: User, now: datetime) -> Summary:
    """The same for everybody together, in the days of `reader`."""
    return _summary(zone_of(reader), now)


def grouped(reader: User, by: str, dates: DateRange, now: datetime) -> list[Group]:
    """The site's use by user, model or key (most tokens first), or by day (oldest first, none left out).

    Without dates: everything, or the last thirty days. Raises BadRequest for an unknown grouping and a range that
    is backwards or too long.
    """
    if by == "day":
        return _by_day(zone_of(reader), dates, now)
    if by not in _LABELS:
        raise BadRequest("unknown_grouping", known=", ".join(GROUPINGS))
    with reading() as session:
        return _by_label(session, _LABELS[by], period_of(dates, zone_of(reader)))


def period_of(dates: DateRange, zone: ZoneInfo) -> Period:
    """These local days, everything on an open side; raises BadRequest for a backwards range."""
    if dates.first and dates.last and dates.first > dates.last:
        raise BadRequest("backwards_range")
    start = periods.start_of(dates.first, zone) if dates.first else 0
    end = periods.start_of(dates.last + timedelta(days=1), zone) if dates.last else periods.ENDLESS
    return Period(start, end)


def _summary(zone: ZoneInfo, now: datetime, user_id: str | None = None) -> Summary:
    """Of one person, or of the site."""
    today = periods.local_day(now, zone)
    first_shown = today - timedelta(days=SHOWN_DAYS - 1)
    monday, month = periods.monday_of(today), periods.first_of_month(today)
    whole = select(*figures()).where(rollup.c.slice == PERSON_MONTH.name).group_by(rollup.c.currency)
    if user_id is not None:
        whole = whole.where(rollup.c.user_id == user_id)
    with reading() as session:
        by_day = _daily(session, zone, min(first_shown, month), today, user_id)
        total = Sum.of(map(sum_of, session.execute(whole)))
    return Summary(
        timezone=zone.key,
        today=by_day[today],
        week=Sum.of(part for day, part in by_day.items() if day >= monday),
        month=Sum.of(part for day, part in by_day.items() if day >= month),
        total=total,
        days={day: part for day, part in by_day.items() if day >= first_shown},
    )


def _daily(session: Session, zone: ZoneInfo, first: date, last: date, user_id: str | None) -> dict[date, Sum]:
    """The sum of every local day of one person, or of the site."""
    stretches = periods.stretches(periods.span(first, last, zone), zone)
    if user_id is None:
        on_the_hour = all(edge % SITE_HOUR.size == 0 for part in stretches for edge in (part.period.start, part.offset))
        queries = [_days_of(part, SITE_HOUR if on_the_hour else SITE_QUARTER) for part in stretches]
    else:
        queries = [_days_of(part, DETAIL).where(rollup.c.user_id == user_id) for part in stretches]
    sums = {day: Sum() for day in periods.days(first, last)}
    for row in session.execute(union_all(*queries)):
        sums[periods.day_number(int(row.day))].add(sum_of(row))
    return sums


def _days_of(part: Stretch, each: Slice) -> Select[Any]:
    day = (rollup.c.block + part.offset // each.size) // (periods.QUARTERS_A_DAY // each.size)
    blocks = _in_blocks(each, part.period.start // each.size, part.period.end // each.size)
    return select(day.label("day"), *figures()).where(blocks).group_by(day, rollup.c.currency)


def _by_day(zone: ZoneInfo, dates: DateRange, now: datetime) -> list[Group]:
    last = dates.last or max(periods.local_day(now, zone), dates.first or date.min)
    first = dates.first or last - timedelta(days=SHOWN_DAYS - 1)
    if first > last:
        raise BadRequest("backwards_range")
    if (last - first).days >= MAX_DAYS:
        raise BadRequest("range_too_long", days=MAX_DAYS)
    with reading() as session:
        sums = _daily(session, zone, first, last, None)
    return [Group(day.isoformat(), day.isoformat(), part) for day, part in sums.items()]


def _by_label(session: Session, by: _Grouping, period: Period) -> list[Group]:
    grouped = select(by.column.label("grouped"), *figures()).where(_within(by.slices, period))
    parts = grouped.group_by(by.column, rollup.c.currency).subquery()
    query = select(parts)
    if by.target is not None and by.label is not None:
        query = query.add_columns(by.label.label("label")).outerjoin_from(
            parts, by.target.table, by.target == parts.c.grouped
        )
    sums: dict[str, Sum] = {}
    labels: dict[str, str] = {}
    for row in session.execute(query):
        sums.setdefault(row.grouped, Sum()).add(sum_of(row))
        labels[row.grouped] = getattr(row, "label", None) or row.grouped
    ordered = sorted(sums.items(), key=lambda item: (-item[1].total_tokens, item[0]))
    return [Group(key, labels[key], part) for key, part in ordered]


def _within(slices: tuple[Slice, ...], period: Period) -> ColumnElement[bool]:
    """The rows that make up the period: the fewest that these slices have."""
    by_size = {each.size: each for each in slices}
    blocks = periods.cover(period, list(by_size))
    return or_(*(_in_blocks(by_size[part.size], part.first, part.end) for part in blocks))


def _in_blocks(each: Slice, first: int, end: int) -> ColumnElement[bool]:
    return and_(rollup.c.slice == each.name, rollup.c.block >= first, rollup.c.block < end)
