"""What was used in a range of days: its sums against those of the time before, and where its price came from."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.database import reading
from flask_app.domain import periods, ranges
from flask_app.domain.periods import Period
from flask_app.domain.ranges import Days
from flask_app.models import User
from flask_app.services.ledger.rollup import DETAIL, DETAIL_DAY, DETAIL_MONTH, SITE_TOTAL, rollup
from flask_app.services.queries.whole import rolled_sum
from flask_app.services.usage import breakdown_service, slices
from flask_app.services.usage.breakdown_service import Part
from flask_app.services.usage.stats_service import DateRange, days_of, zone_of
from flask_app.services.usage.sums import Sum, figures, sum_of

MOST_DAYS_AS_BARS = 92
_ORIGINS = ("cache_saved_micros", "peak_extra_micros")
_WHOLE = select(rollup.c.peak, *figures(), *(rolled_sum(rollup.c[name]).label(name) for name in _ORIGINS)).group_by(
    rollup.c.peak, rollup.c.currency
)


@dataclass(slots=True)
class Whole:
    """A period's sum, and what is known of its price.

    `peak_tokens` were used at peak prices, which made them dearer by `peak_extra`; `cache_saved` is what the
    providers' caches took off. Money is micro-units by currency.
    """

    sum: Sum = field(default_factory=Sum)
    peak_tokens: int = 0
    cache_saved: dict[str, int] = field(default_factory=dict)
    peak_extra: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """`before` is the sum of as many `days_before`; of a range that is not over yet, up to the same time of it.

    `bars` are its hours, days or months, as `unit` says: all of them, the oldest first.
    """

    timezone: str
    days: Days
    whole: Whole
    days_before: Days
    before: Sum
    ongoing: bool
    unit: str
    bars: list[Part]
    presets: dict[str, Days]


def own(actor: User, dates: DateRange, now: datetime) -> Report:
    """Of one's own use; without dates of the last thirty days. Raises BadRequest as `days_of` does."""
    return _report(zone_of(actor), dates, now, actor.id)


def site(reader: User, dates: DateRange, now: datetime) -> Report:
    """The same of everybody together, in the days of `reader`."""
    return _report(zone_of(reader), dates, now)


def _report(zone: ZoneInfo, dates: DateRange, now: datetime, user_id: str | None = None) -> Report:
    days = days_of(dates, now, zone)
    period, elapsed = periods.span(days.first, days.last, zone), periods.quarter_of(now) + 1
    unit = _unit(days)
    with reading() as session:
        since = slices.first_day(session, zone, user_id)
        whole = _whole(session, period, user_id)
        before = _whole(session, _same_part(days, period, now, zone), user_id)
        bars = breakdown_service.by_clock(session, unit, zone, days, user_id)
    today = periods.local_day(now, zone)
    return Report(
        timezone=zone.key,
        days=days,
        whole=whole,
        days_before=days.before,
        before=before.sum,
        ongoing=elapsed < period.end,
        unit=unit,
        bars=bars,
        presets=ranges.presets(today, since or today),
    )


def _unit(days: Days) -> str:
    if len(days) == 1:
        return "hour"
    return "day" if len(days) <= MOST_DAYS_AS_BARS else "month"


def _same_part(days: Days, period: Period, now: datetime, zone: ZoneInfo) -> Period:
    """As much of the days before as there has been of these, by local clocks: days are not of the same length."""
    before, elapsed = periods.span(days.before.first, days.before.last, zone), periods.quarter_of(now) + 1
    if elapsed >= period.end:
        return before
    if elapsed <= period.start:
        return Period(before.start, before.start)
    then = now.astimezone(zone) - timedelta(days=len(days))
    return Period(before.start, min(before.end, periods.quarter_of(then) + 1))


def _whole(session: Session, period: Period, user_id: str | None) -> Whole:
    whole = Whole()
    if period.start == period.end:
        return whole
    coarse = (SITE_TOTAL,) if user_id is None else (DETAIL_MONTH, DETAIL_DAY)
    for row in session.execute(slices.of_period(_WHOLE, (*coarse, DETAIL), period, user_id)):
        part = sum_of(row)
        whole.sum.add(part)
        whole.peak_tokens += part.total_tokens if row.peak == 1 else 0
        if row.currency:
            for micros, name in ((whole.cache_saved, _ORIGINS[0]), (whole.peak_extra, _ORIGINS[1])):
                micros[row.currency] = micros.get(row.currency, 0) + getattr(row, name)
    return whole
