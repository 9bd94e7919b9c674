"""The prices that the sequences of budgets make, kept beside the application: which holds when, and what use costs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec

from flask_app.database import new_id, transaction
from flask_app.domain.events import Usage
from flask_app.domain.tariff import Prices
from flask_app.models import Tariff

PER = 10**6  # prices are for so many tokens


@dataclass(frozen=True)
class Hours:
    """Peak hours: from one full hour to another, on some days of the week, in a time zone."""

    zone: str
    weekdays: tuple[int, ...]
    first: int
    end: int

    def hold(self, moment: datetime) -> bool:
        local = moment.astimezone(ZoneInfo(self.zone))
        return local.weekday() in self.weekdays and self.first <= local.hour < self.end

    def written(self) -> str:
        hours = [(f"{self.first:02}:00", f"{self.end:02}:00")]
        return msgspec.json.encode({"timezone": self.zone, "weekdays": self.weekdays, "hours": hours}).decode()


@dataclass(frozen=True)
class Quote:
    """What a model costs at a moment. `peak` is None where it has no peak hours."""

    tariff_id: str
    prices: Prices
    peak: bool | None

    def cost(self, used: Usage) -> int:
        """Micro-units, rounded once, half up."""
        kinds = (used.cached_tokens, used.prompt_tokens - used.cached_tokens, used.completion_tokens)
        prices = (self.prices.input_hit, self.prices.input_miss, self.prices.output)
        exact = sum(Fraction(tokens * price, PER) for tokens, price in zip(kinds, prices, strict=True))
        return (exact + self.prices.request + Fraction(1, 2)).__floor__()


@dataclass(frozen=True)
class _Line:
    id: str
    model: str
    currency: str
    starts_at: datetime
    usual: Prices
    high: Prices | None
    hours: Hours

    def quote(self, moment: datetime) -> Quote:
        if self.high is None:
            return Quote(self.id, self.usual, None)
        peak = self.hours.hold(moment)
        prices = replace(self.high, request=self.usual.request) if peak else self.usual
        return Quote(self.id, prices, peak)


class PriceList:
    """Prices are written into the database as they are added here."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []

    def add(
        self, model: str, currency: str, starts_at: datetime, usual: Prices, high: Prices | None, hours: Hours
    ) -> None:
        """It holds until another begins; `high` is the price of peak hours, where there are some: of tokens alone."""
        line = _Line(new_id(), model, currency, starts_at, usual, high, hours)
        self._lines.append(line)
        kinds = ("input_hit", "input_miss", "output")
        prices = {kind: getattr(usual, kind) for kind in kinds}
        prices |= {f"peak_{kind}": getattr(high, kind) for kind in kinds} if high else {}
        calendar = hours.written() if high else None
        same = {"id": line.id, "model": model, "currency": currency, "starts_at": starts_at, "calendar": calendar}
        same["request_price"] = usual.request
        with transaction() as session:
            session.add(Tariff(**same, **prices))

    def quotes(self, currency: str, moment: datetime) -> dict[str, Quote]:
        """Of every model that has a price in the currency then: the one that began last."""
        begun = [line for line in self._lines if line.currency == currency and line.starts_at <= moment]
        newest = {line.model: line for line in sorted(begun, key=lambda line: line.starts_at)}
        return {model: line.quote(moment) for model, line in newest.items()}


def dearest(quotes: Iterable[Quote]) -> Prices | None:
    """At least what any of them costs, each kind of token and a request for itself."""
    all_prices = [quote.prices for quote in quotes]
    kinds = ("input_hit", "input_miss", "output", "request")
    return Prices(*(max(getattr(each, kind) for each in all_prices) for kind in kinds)) if all_prices else None
