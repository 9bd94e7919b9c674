"""A person's and the site's use at a glance. Days are those of the reader's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from flask_app import config
from flask_app.database import reading
from flask_app.domain import periods, ranges
from flask_app.domain.periods import Period
from flask_app.domain.ranges import Days
from flask_app.errors import BadRequest
from flask_app.models import User
from flask_app.services.ledger.rollup import PERSON_MONTH, SITE_MONTH, rollup
from flask_app.services.usage import local_days, slices
from flask_app.services.usage.sums import Sum, figures, sum_of

MAX_DAYS = 3_660


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


def days_of(dates: DateRange, now: datetime, zone: ZoneInfo) -> Days:
    """Up to today where no last day is given, the thirty days up to the last where no first one is.

    Raises BadRequest for a range that is backwards or too long.
    """
    last = dates.last or max(periods.local_day(now, zone), dates.first or date.min)
    days = Days(dates.first or ranges.ending(last, ranges.SHOWN_DAYS).first, last)
    if days.first > days.last:
        raise BadRequest("backwards_range")
    if len(days) > MAX_DAYS:
        raise BadRequest("range_too_long", days=MAX_DAYS)
    return days


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
    first_shown = ranges.ending(today, ranges.SHOWN_DAYS).first
    monday, month = periods.monday_of(today), periods.first_of_month(today)
    each = SITE_MONTH if user_id is None else PERSON_MONTH
    whole = select(*figures()).where(*slices.rows(each, user_id)).group_by(rollup.c.currency)
    with reading() as session:
        by_day = local_days.by_day(session, zone, Days(min(first_shown, month), today), user_id)
        total = Sum.of(map(sum_of, session.execute(whole)))
    return Summary(
        timezone=zone.key,
        today=by_day[today],
        week=Sum.of(part for day, part in by_day.items() if day >= monday),
        month=Sum.of(part for day, part in by_day.items() if day >= month),
        total=total,
        days={day: part for day, part in by_day.items() if day >= first_shown},
    )
