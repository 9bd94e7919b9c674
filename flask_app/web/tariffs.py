"""Prices as JSON: decimal strings per million tokens, and per thousand requests."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import msgspec

from flask_app.database import utc_now
from flask_app.domain import public_holidays, tariff
from flask_app.domain.peak_calendar import WrittenCalendar
from flask_app.domain.tariff import Prices
from flask_app.models import Tariff
from flask_app.services.tariffs import holiday_doubts
from flask_app.services.tariffs.tariff_admin_service import Peak, Terms
from flask_app.services.tariffs.tariff_list_service import Dated, ModelPrices, PriceLine
from flask_app.web.bodies import Body, Reply

Price = Annotated[str, msgspec.Meta(max_length=20)]


class PriceList(Body):
    """Of a million tokens each, such as "0.02": input from the provider's cache, other input, output."""

    input_hit: Price
    input_miss: Price
    output: Price

    def parsed(self) -> Prices:
        return Prices(*map(tariff.micros, (self.input_hit, self.input_miss, self.output)))


class PeakPrices(Body):
    """Other prices in certain hours."""

    prices: PriceList
    calendar: WrittenCalendar


class TariffTerms(Body):
    """Without `starts_at` (a time with its zone) the price holds from now on.

    `thousand_requests`, such as "5", is for so many, at all hours and beside their tokens.
    """

    prices: PriceList
    thousand_requests: Price = "0"
    peak: PeakPrices | None = None
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    def parsed(self) -> Terms:
        peak = Peak(self.peak.prices.parsed(), self.peak.calendar) if self.peak else None
        prices = replace(self.prices.parsed(), request=tariff.request_micros(self.thousand_requests))
        return Terms(prices=prices, peak=peak, starts_at=self.starts_at)


class NewTariff(TariffTerms, kw_only=True):
    """A model's price in a currency."""

    model: Annotated[str, msgspec.Meta(max_length=200)]
    currency: Annotated[str, msgspec.Meta(max_length=10)]


class TariffReply(Reply):
    """`state` is past, current or planned; `ends_at` is when the next one starts."""

    id: str
    state: str
    starts_at: datetime
    ends_at: datetime | None
    prices: PriceList
    thousand_requests: str
    peak: PeakPrices | None


class PriceLineReply(Reply):
    """A model's prices in a currency, the newest first. `billed`: a provider that lists the model bills in it.

    `peak_now` is null where no hours have other prices; `changes_at` is when the hours begin or end next.
    """

    currency: str
    billed: bool
    peak_now: bool | None
    changes_at: datetime | None
    tariffs: list[TariffReply]


class ModelPricesReply(Reply):
    """`listed`: by a provider now; `known`: now or before. `unpriced`: it is billed in a currency without a price.

    `unpriced_records` were booked without a cost.
    """

    model: str
    providers: list[str]
    listed: bool
    known: bool
    unpriced: bool
    unpriced_records: int
    lines: list[PriceLineReply]


class HolidayDoubt(Reply):
    """The public holidays of a `country` that prices go by, from a `year` on: `known` by the law, though that year's
    arrangement is not, or not at all. `soon`: a price goes by them now, or will within 30 days.
    """

    country: str
    year: int
    known: bool
    soon: bool


class TariffsReply(Reply):
    models: list[ModelPricesReply]
    doubts: list[HolidayDoubt]


class PricesState(TariffsReply):
    """What the page starts with: the prices, and the countries whose public holidays are known."""

    countries: list[str]


def tariffs_reply(prices: list[ModelPrices]) -> TariffsReply:
    doubts = [
        HolidayDoubt(country=each.country, year=each.year, known=each.known, soon=each.soon)
        for each in holiday_doubts.of(prices, utc_now())
    ]
    return TariffsReply(models=[_model(each) for each in prices], doubts=doubts)


def prices_state(prices: list[ModelPrices]) -> PricesState:
    reply = tariffs_reply(prices)
    return PricesState(models=reply.models, doubts=reply.doubts, countries=list(public_holidays.countries()))


def _model(prices: ModelPrices) -> ModelPricesReply:
    return ModelPricesReply(
        model=prices.model,
        providers=prices.providers,
        listed=prices.listed,
        known=prices.known,
        unpriced=prices.unpriced,
        unpriced_records=prices.unpriced_records,
        lines=[_line(line) for line in prices.lines],
    )


def _line(line: PriceLine) -> PriceLineReply:
    return PriceLineReply(
        currency=line.currency,
        billed=line.billed,
        peak_now=line.peak,
        changes_at=line.changes_at,
        tariffs=[_tariff(dated) for dated in line.tariffs],
    )


def _tariff(dated: Dated) -> TariffReply:
    row = dated.tariff
    return TariffReply(
        id=row.id,
        state=dated.state,
        starts_at=row.starts_at,
        ends_at=dated.ends_at,
        prices=_prices(row.input_hit, row.input_miss, row.output),
        thousand_requests=tariff.requests_price(row.request_price),
        peak=_peak(row),
    )


def _peak(row: Tariff) -> PeakPrices | None:
    high = (row.peak_input_hit, row.peak_input_miss, row.peak_output)
    if row.calendar is None or None in high:
        return None
    return PeakPrices(prices=_prices(*high), calendar=msgspec.json.decode(row.calendar, type=WrittenCalendar))


def _prices(*micros: int | None) -> PriceList:
    hit, miss, output = (tariff.decimal(price or 0) for price in micros)
    return PriceList(input_hit=hit, input_miss=miss, output=output)
