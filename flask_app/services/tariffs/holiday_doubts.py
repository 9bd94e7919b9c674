"""From which year on the public holidays of a price are not sure: their file ends, or a year is not arranged yet.

Days of a price's own in the year make up for it: an administrator has looked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_app.domain import public_holidays
from flask_app.domain.peak_calendar import Calendar
from flask_app.services.tariffs.tariff_list_service import ModelPrices

AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """The holidays of a country from a year on: `known`, though not confirmed, or none. `soon`: the year has come, or
    comes within AHEAD.
    """

    country: str
    year: int
    known: bool
    soon: bool


def of(prices: Iterable[ModelPrices], now: datetime) -> list[Doubt]:
    """Those of the prices that hold or are planned: the first year of each country."""
    calendars = [
        Calendar.parse(dated.tariff.calendar)
        for model in prices
        for line in model.lines
        for dated in line.tariffs
        if dated.state != "past" and dated.tariff.calendar
    ]
    first: dict[str, Doubt] = {}
    for doubt in sorted(_doubt(calendar, now) for calendar in calendars if calendar.holidays):
        first.setdefault(doubt.country, doubt)
    return list(first.values())


def _doubt(calendar: Calendar, now: datetime) -> Doubt:
    today = now.astimezone(calendar.timezone).date()
    own = {day.year for day in calendar.peak_days | calendar.off_peak_days}
    year = today.year
    while year in own or public_holidays.are_confirmed(calendar.holidays, year):
        year += 1
    known = public_holidays.are_known(calendar.holidays, year)
    return Doubt(calendar.holidays, year, known, date(year, 1, 1) - today <= AHEAD)
