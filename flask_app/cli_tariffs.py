"""`flask tariffs`: the models' prices from a terminal."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import click

from flask_app.cli_group import Group, moment, several, show
from flask_app.database import utc_now
from flask_app.domain import tariff as money
from flask_app.domain.peak_calendar import WrittenCalendar
from flask_app.domain.tariff import Prices
from flask_app.models import Tariff
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tariffs import tariff_admin_service, tariff_list_service
from flask_app.services.tariffs.tariff_admin_service import Peak, Terms

Words = tuple[str, str, str]
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

tariffs = Group("tariffs", help="What the models cost, per million tokens and per thousand requests.")


@tariffs.command("list")
@click.argument("model", required=False)
def list_tariffs(model: str | None) -> None:
    """Every price, the newest first: from the cache / other input / output, and what 1,000 requests cost beside."""
    rows: list[tuple[str, ...]] = []
    for prices in tariff_list_service.listed(utc_now()):
        if model not in (None, prices.model):
            continue
        for line in prices.lines:
            rows += [
                (prices.model, line.currency, each.state, moment(each.tariff.starts_at), *_columns(each.tariff))
                for each in line.tariffs
            ]
        if prices.unpriced or not prices.lines:
            rows.append((prices.model, "-", "unpriced", "-", "-", "-", "-"))
    show(("MODEL", "CURRENCY", "STATE", "FROM", "PRICE", "AT PEAK HOURS", "1,000 REQUESTS"), rows)


_terms_options = several(
    click.argument("prices", nargs=3, metavar="HIT MISS OUTPUT"),
    click.option("--requests", default="0", help="What 1,000 requests cost beside their tokens, such as 5."),
    click.option("--from", "starts_at", help="When it begins, such as 2026-12-01T00:00+08:00."),
    click.option("--peak", nargs=3, metavar="HIT MISS OUTPUT", help="The prices in the hours that --hours names."),
    click.option("--hours", multiple=True, help="Such as 09:00-12:00; may be given several times."),
    click.option("--weekday", "weekdays", multiple=True, type=click.Choice(WEEK), help="Monday to Friday without."),
    click.option("--timezone", default="Asia/Shanghai", show_default=True, help="In which the hours are meant."),
    click.option("--holidays", default="", help="A country, such as CN, on whose public holidays no hour is peak."),
)


@tariffs.command("add")
@click.argument("model")
@click.argument("currency")
@_terms_options
def add(model: str, currency: str, **terms: Any) -> None:
    """Set what a model costs per million tokens, from now on if not --from later.

    HIT is input from the provider's cache, MISS other input.
    """
    _tell(tariff_admin_service.add(Actor(user=None), model, currency, _terms(**terms)))


@tariffs.command("change")
@click.argument("model")
@click.argument("currency")
@click.argument("start")
@_terms_options
def change(model: str, currency: str, start: str, **terms: Any) -> None:
    """Correct a price that begins at START and is not in force yet: all of it is what is given here.

    It begins then if not --from another moment.
    """
    planned = _planned(model, currency, start)
    wanted = _terms(**terms | {"starts_at": terms["starts_at"] or start})
    _tell(tariff_admin_service.change(Actor(user=None), planned.id, wanted))


@tariffs.command("remove")
@click.argument("model")
@click.argument("currency")
@click.argument("start")
def remove(model: str, currency: str, start: str) -> None:
    """Take back a price that begins at START and is not in force yet."""
    tariff_admin_service.remove(Actor(user=None), _planned(model, currency, start).id)


def _planned(model: str, currency: str, start: str) -> Tariff:
    at = _moment(start)
    lines = [line for prices in tariff_list_service.listed(utc_now()) if prices.model == model for line in prices.lines]
    tariffs = [each.tariff for line in lines if line.currency == currency.upper() for each in line.tariffs]
    found = [tariff for tariff in tariffs if tariff.starts_at == at]
    if not found:
        raise click.ClickException(f"No price of {model} in {currency} begins then.")
    return found[0]


def _terms(*, prices: Words, requests: str, starts_at: str | None, peak: Words | None, **calendar: Any) -> Terms:
    return Terms(
        prices=replace(_prices(prices), request=money.request_micros(requests)),
        peak=Peak(_prices(peak), _calendar(**calendar)) if peak else None,
        starts_at=_moment(starts_at) if starts_at else None,
    )


def _tell(tariff: Tariff) -> None:
    usual, high = _words(tariff)
    at_peak = f", at peak hours {high}" if tariff.calendar else ""
    requests = _requests(tariff)
    beside = f", for 1,000 requests {requests}" if requests else ""
    click.echo(f"From {moment(tariff.starts_at)}: {tariff.model} {usual} {tariff.currency}{at_peak}{beside}")


def _prices(words: Words) -> Prices:
    return Prices(*map(money.micros, words))


def _calendar(hours: tuple[str, ...], weekdays: tuple[str, ...], timezone: str, holidays: str) -> WrittenCalendar:
    return WrittenCalendar(
        timezone=timezone,
        weekdays=[WEEK.index(day) for day in weekdays or WEEK[:5]],
        hours=[(start, end) for start, _, end in (span.partition("-") for span in hours)],
        holidays=holidays.upper(),
    )


def _moment(raw: str) -> datetime:
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise click.BadParameter("give a time with its zone, such as 2026-12-01T00:00+08:00", param_hint="--from")
    return at


def _columns(tariff: Tariff) -> tuple[str, str, str]:
    return *_words(tariff), _requests(tariff) or "-"


def _words(tariff: Tariff) -> tuple[str, str]:
    """The prices, and those of peak hours."""
    usual = (tariff.input_hit, tariff.input_miss, tariff.output)
    high = (tariff.peak_input_hit, tariff.peak_input_miss, tariff.peak_output)
    return _joined(usual), _joined(high)


def _requests(tariff: Tariff) -> str:
    """What 1,000 of them cost; nothing where they cost none."""
    return money.requests_price(tariff.request_price) if tariff.request_price else ""


def _joined(prices: tuple[int | None, int | None, int | None]) -> str:
    return " / ".join("-" if price is None else money.decimal(price) for price in prices)
