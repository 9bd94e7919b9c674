"""From which year on the public holidays of a price are not sure: their file ends, or a year is not arranged yet.

Days of a price's own in the year make up for it: an administrator has looked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask_app.domain import public_holidays
from flask_app.domain.peak_calendar import Calendar
from flask_app.services.tariffs.tariff_list_service import Dated, ModelPrices

AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Doubt:
    """The holidays of a country from a year on: `known`, though not confirmed, or none. `soon`: a price goes by them
    now, or will within AHEAD.
    """

    country: str
    year: int
    known: bool
    soon: bool


def of(prices: Iterable[ModelPrices], now: datetime) -> list[Doubt]:
    """The first year of each country. Looked at is what holds or is planned of what a listed model is billed by."""
    found = [
        doubt
        for model in prices
        for line in model.lines
        for dated in line.tariffs
        if line.billed and dated.state != "past" and (doubt := _doubt(dated, now))
    ]
    first: dict[str, Doubt] = {}
    for doubt in sorted(found, key=lambda each: (each.country, each.year, not each.soon)):
        first.setdefault(doubt.country, doubt)
    return list(first.values())


def _doubt(dated: Dated, now: datetime) -> Doubt | None:
    """From the first day on that the price holds, today or later; None where it ends before a year is doubtful."""
    calendar = Calendar.parse(dated.tariff.calendar) if dated.tariff.calendar else None
    if calendar is None or not calendar.holidays:
        return None
    zone, country = calendar.timezone, calendar.holidays
    today = now.astimezone(zone).date()
    first = max(today, dated.tariff.starts_at.astimezone(zone).date())
    own = {day.year for day in calendar.peak_days | calendar.off_peak_days}
    year = first.year
    while year in own or public_holidays.are_confirmed(country, year):
        year += 1
    begins = max(first, date(year, 1, 1))
    if dated.ends_at and datetime.combine(begins, time.min, zone) >= dated.ends_at:
        return None
    return Doubt(country, year, public_holidays.are_known(country, year), begins - today <= AHEAD)
