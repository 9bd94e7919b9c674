"""Statistics from the ledger: one's own, and the whole site's. Days are those of the reader's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import reading, table_of
from flask_app.domain import periods
from flask_app.domain.periods import Days
from flask_app.errors import BadRequest
from flask_app.models import ApiKey, User
from flask_app.services.sums import Sum, figures, ledger, sum_of

SHOWN_DAYS = 30
MAX_DAYS = 731

_users, _keys = table_of(User), table_of(ApiKey)
_LABELS: dict[str, tuple[ColumnElement[Any], ColumnElement[Any] | None, ColumnElement[Any] | None]] = {
    "user": (ledger.c.user_id, _users.c.id, _users.c.username),
    "key": (ledger.c.key_id, _keys.c.id, _keys.c.label),
    "model": (ledger.c.model, None, None),
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
    return _summary(zone_of(actor), now, ledger.c.user_id == actor.id)


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
        return _by_label(session, by, within(dates, zone_of(reader)))


def within(dates: DateRange, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    """The conditions that keep the ledger's entries of these local days; raises BadRequest for a backwards range."""
    if dates.first and dates.last and dates.first > dates.last:
        raise BadRequest("backwards_range")
    conditions = []
    if dates.first:
        conditions.append(ledger.c.quarter >= periods.start_of(dates.first, zone))
    if dates.last:
        conditions.append(ledger.c.quarter < periods.start_of(dates.last + timedelta(days=1), zone))
    return conditions


def _summary(zone: ZoneInfo, now: datetime, *whose: ColumnElement[bool]) -> Summary:
    today = periods.local_day(now, zone)
    first_shown = today - timedelta(days=SHOWN_DAYS - 1)
    monday, month = periods.monday_of(today), periods.first_of_month(today)
    with reading() as session:
        by_day = _daily(session, Days(periods.days(min(first_shown, month), today), zone), *whose)
        total = Sum.of(map(sum_of, session.execute(select(*figures()).where(*whose).group_by(ledger.c.currency))))
    return Summary(
        timezone=zone.key,
        today=by_day[today],
        week=Sum.of(part for day, part in by_day.items() if day >= monday),
        month=Sum.of(part for day, part in by_day.items() if day >= month),
        total=total,
        days={day: part for day, part in by_day.items() if day >= first_shown},
    )


def _daily(session: Session, days: Days, *whose: ColumnElement[bool]) -> dict[date, Sum]:
    """The sum of every day, from the groups of each quarter-hour."""
    in_period = (ledger.c.quarter >= days.period.start, ledger.c.quarter < days.period.end)
    query = select(ledger.c.quarter, *figures()).where(*whose, *in_period)
    sums = {day: Sum() for day in days.dates}
    for row in session.execute(query.group_by(ledger.c.quarter, ledger.c.currency)):
        sums[days.day_of(row.quarter)].add(sum_of(row))
    return sums


def _by_day(zone: ZoneInfo, dates: DateRange, now: datetime) -> list[Group]:
    last = dates.last or max(periods.local_day(now, zone), dates.first or date.min)
    first = dates.first or last - timedelta(days=SHOWN_DAYS - 1)
    if first > last:
        raise BadRequest("backwards_range")
    if (last - first).days >= MAX_DAYS:
        raise BadRequest("range_too_long", days=MAX_DAYS)
    with reading() as session:
        sums = _daily(session, Days(periods.days(first, last), zone))
    return [Group(day.isoformat(), day.isoformat(), part) for day, part in sums.items()]


def _by_label(session: Session, by: str, conditions: list[ColumnElement[bool]]) -> list[Group]:
    column, target, label = _LABELS[by]
    grouped = select(column.label("grouped"), *figures()).where(*conditions).group_by(column, ledger.c.currency)
    if target is None or label is None:
        rows = session.execute(grouped).all()
        labels: dict[str, str] = {}
    else:
        parts = grouped.subquery()
        named = select(parts, label.label("label")).outerjoin_from(parts, target.table, target == parts.c.grouped)
        rows = session.execute(named).all()
        labels = {row.grouped: row.label for row in rows if row.label}
    sums: dict[str, Sum] = {}
    for row in rows:
        sums.setdefault(row.grouped or "", Sum()).add(sum_of(row))
    ordered = sorted(sums.items(), key=lambda item: (-item[1].total_tokens, item[0]))
    return [Group(key, labels.get(key, key), part) for key, part in ordered]
