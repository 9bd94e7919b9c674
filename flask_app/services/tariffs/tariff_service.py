"""Which price holds for a model at a moment."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, func, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain import budget, tariff
from flask_app.domain.events import Usage
from flask_app.domain.peak_calendar import Calendar
from flask_app.domain.tariff import Prices
from flask_app.models import ChatModel, Provider, Tariff

tariffs = table_of(Tariff)
_models, _providers = table_of(ChatModel), table_of(Provider)
_same = tariffs.alias("in_force")
# The tariff's id, for statements that read it with something else; they bind `model`, `currency` and `moment`.
IN_FORCE_ID = (
    select(_same.c.id)
    .where(
        _same.c.model == bindparam("model"),
        _same.c.currency == bindparam("currency"),
        _same.c.starts_at <= bindparam("moment"),
    )
    .order_by(_same.c.starts_at.desc())
    .limit(1)
    .scalar_subquery()
)
# What `of_row` reads.
COLUMNS = tuple(
    tariffs.c[name]
    for name in (
        *("id", "input_hit", "input_miss", "output"),
        *("peak_input_hit", "peak_input_miss", "peak_output", "request_price", "calendar"),
    )
)
_IN_FORCE = select(*COLUMNS).where(tariffs.c.id == IN_FORCE_ID)
_key = (tariffs.c.model, tariffs.c.currency)
_begun = tariffs.c.starts_at <= bindparam("moment")
_newest = select(*_key, func.max(tariffs.c.starts_at).label("starts_at")).where(_begun).group_by(*_key).subquery()
_ALL_IN_FORCE = select(tariffs).join(
    _newest, and_(*(tariffs.c[name] == _newest.c[name] for name in ("model", "currency", "starts_at")))
)
_is_offered = exists().where(
    _models.c.name == tariffs.c.model,
    _models.c.listed,
    _providers.c.id == _models.c.provider_id,
    _providers.c.currency == tariffs.c.currency,
)
_IN_CURRENCY = _ALL_IN_FORCE.where(tariffs.c.currency == bindparam("currency"))
_OFFERED = _ALL_IN_FORCE.where(_is_offered)
_WITH_PEAK = _OFFERED.where(tariffs.c.calendar.is_not(None))


@dataclass(frozen=True, slots=True)
class PeakHours:
    """Is it a peak hour, and until when it is what it is; None where no calendar goes so far."""

    now: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Priced:
    """The prices of one call. `peak` is None where the tariff knows no peak hours; `usual` holds outside of them."""

    tariff_id: str
    prices: Prices
    usual: Prices
    peak: bool | None

    def cost(self, usage: Usage) -> int:
        """Micro-units of the tariff's currency."""
        return tariff.cost(usage, self.prices)

    def peak_extra(self, usage: Usage) -> int:
        """What peak hours add to the cost."""
        return self.cost(usage) - tariff.cost(usage, self.usual)

    def cache_saved(self, usage: Usage) -> int:
        """What the provider's cache takes off the cost."""
        return tariff.saved_by_cache(usage, self.prices)


def price(model: str, currency: str, moment: datetime, connection: Connection) -> Priced | None:
    """The tariff in force for `model` in `currency` at `moment`; None when the model has no price there."""
    found = connection.execute(_IN_FORCE, {"model": model, "currency": currency, "moment": moment}).first()
    return of_row(found, moment) if found else None


def dearest(currency: str, moment: datetime, connection: Connection) -> Prices | None:
    """The most that any model costs in the currency then, each kind of token for itself, and a request too.

    None where none has a price. What has no price of its own may be answered by a model that has one.
    """
    rows = connection.execute(_IN_CURRENCY, {"currency": currency, "moment": moment})
    found = [priced.prices for row in rows if (priced := of_row(row, moment))]
    return tariff.dearest(found) if found else None


def least_costs(connection: Connection, moment: datetime) -> dict[str, int]:
    """By currency, what the shortest message to the cheapest model sets aside then; what costs nothing is left out."""
    least: dict[str, int] = {}
    for row in connection.execute(_OFFERED, {"moment": moment}):
        priced = of_row(row, moment)
        cost = budget.least_cost(priced.prices) if priced else 0
        if cost:
            least[row.currency] = min(cost, least.get(row.currency, cost))
    return least


def prices_of(row: Any, *, peak: bool) -> Prices:
    """A tariff's prices: those of peak hours, where it has some, or the usual ones. A request costs the same then."""
    if peak:
        return Prices(row.peak_input_hit, row.peak_input_miss, row.peak_output, row.request_price)
    return Prices(row.input_hit, row.input_miss, row.output, row.request_price)


def of_row(row: Row[Any], moment: datetime) -> Priced | None:
    """What a row with a tariff's columns says of a moment; None where they are empty."""
    if row.id is None:
        return None
    off_peak = prices_of(row, peak=False)
    if row.calendar is None:
        return Priced(row.id, off_peak, off_peak, peak=None)
    if not Calendar.parse(row.calendar).is_peak(moment):
        return Priced(row.id, off_peak, off_peak, peak=False)
    return Priced(row.id, prices_of(row, peak=True), off_peak, peak=True)


def peak_hours(connection: Connection, moment: datetime) -> dict[tuple[str, str], PeakHours]:
    """Of every model and currency whose tariff in force knows peak hours: is it one, and when does that change?"""
    minute = moment.replace(second=0, microsecond=0)  # calendars know no shorter time, and a page asks for many models
    rows = connection.execute(_WITH_PEAK, {"moment": moment})
    return {(row.model, row.currency): _hours(row.calendar, minute) for row in rows}


@lru_cache(maxsize=64)
def _hours(written: str, minute: datetime) -> PeakHours:
    calendar = Calendar.parse(written)
    return PeakHours(calendar.is_peak(minute), calendar.next_change(minute))
