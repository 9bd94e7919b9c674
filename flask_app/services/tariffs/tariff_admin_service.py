"""What an administrator does with prices. One that is in force stays as it is: the past is never priced anew.

The past is what the ledger and the attempts under way say it is: each instance reserves by its own clock, which may be
ahead of this one's. Nobody reserves while a price is written (`priced_already`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app import timezones
from flask_app.database import in_transaction, new_id, reading, utc_now
from flask_app.domain import tariff as money
from flask_app.domain.peak_calendar import Calendar, WrittenCalendar
from flask_app.domain.tariff import Prices
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import Tariff
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import turns
from flask_app.services.providers.model_lists import MAX_NAME_LENGTH
from flask_app.services.tariffs import currencies, priced_already
from flask_app.services.tariffs.priced_already import Field, Seen

FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True, slots=True)
class Peak:
    """Other prices of tokens in the hours that the calendar names. A request costs the same at all hours."""

    prices: Prices
    calendar: WrittenCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a tariff says. Without `starts_at` it holds from now on."""

    prices: Prices
    peak: Peak | None = None
    starts_at: datetime | None = None


def add(actor: Actor, model: str, currency: str, terms: Terms) -> Tariff:
    """A price that holds from the next reservation, or from a later moment on.

    Where a clock is ahead, the next one is that after the last which it has made. Raises Invalid,
    Conflict("price_in_the_past") where answers since that moment have been priced already, and Conflict("price_exists")
    where another one starts in the same moment.
    """
    _check(terms)
    tariff = Tariff(id=new_id(), model=_model(model), currency=money.currency(currency))
    seen = _looked_back(tariff, terms)

    def work(session: Session) -> Tariff:
        currencies.check_new(session, tariff.currency)
        turns.take_all(session)
        _write(session, tariff, terms, seen)
        session.add(tariff)
        _record(session, actor, "tariff.add", tariff, after=_written(tariff))
        return tariff

    return _once(work)


def change(actor: Actor, tariff_id: str, terms: Terms) -> Tariff:
    """Correct a price that is not in force yet.

    Raises as `add` does, NotFound, Conflict("price_in_force"), and Conflict("price_used") where an instance whose clock
    is ahead has reserved at it.
    """
    _check(terms)
    with reading() as session:
        there = session.get(Tariff, tariff_id)
    seen = _looked_back(there, terms)

    def work(session: Session) -> Tariff:
        tariff = _planned(session, tariff_id)
        before = _written(tariff)
        _write(session, tariff, terms, seen)
        _record(session, actor, "tariff.change", tariff, before=before, after=_written(tariff))
        return tariff

    return _once(work)


def remove(actor: Actor, tariff_id: str) -> None:
    """Take back a price that is not in force yet.

    Raises NotFound, Conflict("price_in_force"), Conflict("price_used").
    """

    def work(session: Session) -> None:
        tariff = _planned(session, tariff_id)
        _record(session, actor, "tariff.remove", tariff, before=_written(tariff))
        session.delete(tariff)

    in_transaction(work)


def _model(raw: str) -> str:
    name = raw.strip()
    if not (name.isprintable() and 0 < len(name) <= MAX_NAME_LENGTH):
        raise Invalid("bad_model_name", limit=MAX_NAME_LENGTH)
    return name


def _check(terms: Terms) -> None:
    if terms.starts_at and not FIRST_YEAR <= terms.starts_at.year <= LAST_YEAR:
        raise Invalid("bad_start", first=FIRST_YEAR, last=LAST_YEAR)
    if terms.peak:
        Calendar.of(terms.peak.calendar)
        if not timezones.is_known(terms.peak.calendar.timezone):  # a path to one is none that browsers know
            raise Invalid("unknown_timezone")


def _once(work: Callable[[Session], Tariff]) -> Tariff:
    try:
        return in_transaction(work)
    except IntegrityError as error:
        raise Conflict("price_exists") from error


def _planned(session: Session, tariff_id: str) -> Tariff:
    turns.take_all(session)
    tariff = session.get(Tariff, tariff_id, with_for_update=True)
    if tariff is None:
        raise NotFound
    if tariff.starts_at <= utc_now():
        raise Conflict("price_in_force")
    if priced_already.is_used(session, tariff):
        raise Conflict("price_used")
    return tariff


def _looked_back(tariff: Tariff | None, terms: Terms) -> Seen | None:
    """What is seen of the past before everybody waits; nothing needs to be where there is none."""
    return priced_already.look_back(_field(tariff), terms.starts_at) if tariff and terms.starts_at else None


def _write(session: Session, tariff: Tariff, terms: Terms, seen: Seen | None) -> None:
    peak = terms.peak
    with session.no_autoflush:
        if seen and priced_already.is_taken(session, seen):
            raise Conflict("price_in_the_past")
        tariff.starts_at = seen.since if seen else priced_already.next_moment(session, _field(tariff))
    high = peak.prices if peak else None
    for kind in ("input_hit", "input_miss", "output"):
        setattr(tariff, kind, getattr(terms.prices, kind))
        setattr(tariff, f"peak_{kind}", getattr(high, kind) if high else None)
    tariff.request_price = terms.prices.request
    tariff.calendar = msgspec.json.encode(peak.calendar).decode() if peak else None


def _field(tariff: Tariff) -> Field:
    return Field(tariff.model, tariff.currency)


def _record(session: Session, actor: Actor, action: str, tariff: Tariff, **details: object) -> None:
    audit_service.record(session, actor.user, action, tariff.id, details, actor.address)


def _written(tariff: Tariff) -> dict[str, object]:
    """All that a tariff says, as an administrator wrote it."""
    kinds = [f"{time}{kind}" for time in ("", "peak_") for kind in ("input_hit", "input_miss", "output")]
    prices = {kind: getattr(tariff, kind) for kind in kinds}
    return {
        "model": tariff.model,
        "currency": tariff.currency,
        "starts_at": tariff.starts_at.isoformat(),
        "calendar": tariff.calendar and msgspec.json.decode(tariff.calendar),
        **{kind: None if micros is None else money.decimal(micros) for kind, micros in prices.items()},
        "thousand_requests": money.requests_price(tariff.request_price),
    }
