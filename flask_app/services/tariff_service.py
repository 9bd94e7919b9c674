"""Which price holds for a model at a moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain import tariff
from flask_app.domain.events import Usage
from flask_app.domain.peak_calendar import Calendar
from flask_app.domain.tariff import Prices
from flask_app.models import Tariff

tariffs = table_of(Tariff)
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
_IN_FORCE = select(tariffs).where(tariffs.c.id == IN_FORCE_ID)


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


def prices_of(row: Any, *, peak: bool) -> Prices:
    """A tariff's prices: those of peak hours, where it has some, or the usual ones."""
    if peak:
        return Prices(row.peak_input_hit, row.peak_input_miss, row.peak_output)
    return Prices(row.input_hit, row.input_miss, row.output)


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
