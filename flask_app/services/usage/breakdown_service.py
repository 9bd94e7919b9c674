"""Use told apart: by who and what it was of, and by the clock. Days and hours are those of the reader's time zone."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, Select, Subquery, func, select
from sqlalchemy.orm import Session

from flask_app.database import reading, table_of
from flask_app.domain.ranges import Days
from flask_app.errors import BadRequest
from flask_app.models import ApiKey, Group, User
from flask_app.services.ledger.rollup import (
    DETAIL,
    DETAIL_DAY,
    DETAIL_MONTH,
    PERSON_DAY,
    PERSON_FOUR_HOURS,
    PERSON_MONTH,
    SITE_DAY,
    SITE_MONTH,
    Slice,
    rollup,
)
from flask_app.services.queries import packed
from flask_app.services.queries.whole import rolled_sum
from flask_app.services.usage import local_days, slices
from flask_app.services.usage.stats_service import DateRange, days_of, period_of, zone_of
from flask_app.services.usage.sums import SUMMED, Pile, Sum, figures


@dataclass(frozen=True, slots=True)
class Part:
    """The use of one user, group, model, key, channel, hour, day or month. `key` is empty for what had none."""

    key: str
    label: str
    sum: Sum


@dataclass(frozen=True, slots=True)
class _Label:
    """Which column tells parts apart, and which slices have it (the coarsest first)."""

    column: ColumnElement[Any]
    slices: tuple[Slice, ...]


_users, _groups, _keys = table_of(User), table_of(Group), table_of(ApiKey)
_PEOPLE = _Label(rollup.c.user_id, (PERSON_MONTH, PERSON_DAY, PERSON_FOUR_HOURS, DETAIL))
_LABELS = {
    "user": _PEOPLE,
    "group": _PEOPLE,
    "model": _Label(rollup.c.model, (SITE_MONTH, SITE_DAY, DETAIL)),
    "channel": _Label(rollup.c.channel, (SITE_MONTH, SITE_DAY, DETAIL)),
    "key": _Label(rollup.c.key_id, (SITE_MONTH, SITE_DAY, DETAIL)),
}
_OF_ONE = (DETAIL_MONTH, DETAIL_DAY, DETAIL)
_CLOCKS = ("hour", "day", "month")
OWN = ("model", "channel", *_CLOCKS)
SITE = (*_LABELS, *_CLOCKS)


def own(actor: User, by: str, dates: DateRange, now: datetime) -> list[Part]:
    """A person's own use by one of OWN; see `site`."""
    return _told_apart(zone_of(actor), _known(by, OWN), dates, now, actor.id)


def site(reader: User, by: str, dates: DateRange, now: datetime) -> list[Part]:
    """The site's use by one of SITE: the most tokens first, or in the order of time and none left out.

    A person's use is of the group that they are in now. Without dates: everything, or by the clock the last thirty
    days. Raises BadRequest for an unknown grouping and a range that is backwards or too long.
    """
    return _told_apart(zone_of(reader), _known(by, SITE), dates, now)


def of_group(reader: User, group_id: str, dates: DateRange, now: datetime) -> list[Part]:
    """What each of the people used who are in the group now, the most first; see `site`."""
    members = select(_users.c.id).where(_users.c.group_id == group_id)
    return _told_apart(zone_of(reader), "user", dates, now, within=rollup.c.user_id.in_(members))


def by_clock(session: Session, by: str, zone: ZoneInfo, days: Days, user_id: str | None) -> list[Part]:
    """Of one person or the site: by "hour" of the day, "day" or "month"."""
    if by == "hour":
        hours = slices.by_hour(session, zone, days, user_id)
        return [Part(str(hour), f"{hour:02}:00", part) for hour, part in hours.items()]
    if by == "day":
        sums = {day.isoformat(): part for day, part in local_days.by_day(session, zone, days, user_id).items()}
    else:
        sums = {f"{month:%Y-%m}": part for month, part in local_days.by_month(session, zone, days, user_id).items()}
    return [Part(key, key, part) for key, part in sums.items()]


def _known(by: str, groupings: tuple[str, ...]) -> str:
    if by not in groupings:
        raise BadRequest("unknown_grouping", known=", ".join(groupings))
    return by


def _told_apart(
    zone: ZoneInfo,
    by: str,
    dates: DateRange,
    now: datetime,
    user_id: str | None = None,
    *,
    within: ColumnElement[bool] | None = None,
) -> list[Part]:
    if by in _CLOCKS:
        days = days_of(dates, now, zone)
        with reading() as session:
            return by_clock(session, by, zone, days, user_id)
    label = _LABELS[by]
    query = select(label.column.label("grouped"), *figures()).group_by(label.column, rollup.c.currency)
    if within is not None:
        query = query.where(within)
    each = label.slices if user_id is None else _OF_ONE
    parts = slices.of_period_either_way(query, each, period_of(dates, zone), user_id).subquery()
    sums = (rolled_sum(parts.c[name]).label(name) for name in SUMMED)
    together = select(parts.c.grouped, parts.c.currency, *sums).group_by(parts.c.grouped, parts.c.currency).subquery()
    with reading() as session:
        return _largest_first(session, _named(by, together).subquery())


def _named(by: str, parts: FromClause) -> Select[Any]:
    """The sums with the key and the name of what each is of."""
    grouped = parts.c.grouped
    key, label, named = grouped, grouped, parts
    if by == "user":
        label, named = _users.c.username, parts.outerjoin(_users, _users.c.id == grouped)
    elif by == "group":
        return _by_group(parts)
    elif by == "key":
        label, named = _keys.c.label, parts.outerjoin(_keys, _keys.c.id == grouped)
    figures = (parts.c[name] for name in SUMMED)
    return select(key.label("key"), label.label("label"), parts.c.currency, *figures).select_from(named)


def _by_group(parts: FromClause) -> Select[Any]:
    """Added up before it is packed: a group may have thousands of people."""
    named = parts.outerjoin(_users, _users.c.id == parts.c.grouped)
    named = named.outerjoin(_groups, _groups.c.id == _users.c.group_id)
    own = (_groups.c.id.label("key"), _groups.c.name.label("label"), parts.c.currency)
    sums = (rolled_sum(parts.c[name]).label(name) for name in SUMMED)
    return select(*own, *sums).select_from(named).group_by(*own)


def _largest_first(session: Session, found: Subquery) -> list[Part]:
    pile = Pile[str]()
    labels: dict[str, str] = {}
    pieces = packed.pieces(found, func.substr(found.c.key, -1))
    for key, label, currency, *added in packed.rows(session, pieces):
        pile.add(key or "", currency, added)
        labels[key or ""] = label or key or ""
    sums: defaultdict[str, Sum] = defaultdict(Sum)
    pile.into(sums)
    ordered = sorted(sums.items(), key=lambda item: (-item[1].total_tokens, item[0]))
    return [Part(key, labels[key], part) for key, part in ordered]
