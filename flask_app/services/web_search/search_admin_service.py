"""What administrators say about searching the web: by whom, and what each search costs then."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import fetching, table_of, utc_now
from flask_app.domain.serving import OPENAI, SEARXNG
from flask_app.errors import Invalid
from flask_app.models import ApiKey, Provider
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion import deepseek
from flask_app.services.providers import key_service
from flask_app.services.site import stored_settings
from flask_app.services.tariffs import tariff_service
from flask_app.services.web_search import search_settings
from flask_app.services.web_search.search_settings import MODELS, NAME, OFF, Chosen
from flask_app.upstream import addresses

SEARXNG_NAME = "SearXNG"

_keys, _providers = table_of(ApiKey), table_of(Provider)
_has_key = exists().where(_keys.c.provider_id == _providers.c.id, key_service.usable())
_had_key = exists().where(_keys.c.provider_id == _providers.c.id, _keys.c.deleted_at.is_(None))
_OFFERED = (
    select(_providers.c.id, _providers.c.name, _providers.c.base_url, _has_key.label("usable"))
    .where(_providers.c.kind == OPENAI, _had_key)
    .order_by(_providers.c.priority, _providers.c.id)
)


@dataclass(frozen=True, slots=True)
class Offered:
    """A provider whose keys may search. `own`: it is DeepSeek's own API. `usable`: it has a key that can be asked."""

    id: str
    name: str
    own: bool
    usable: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Who was chosen, None for nobody, and what a search costs now: millionths of its currency, None without a price.

    `link_price` is the same of a link that is opened. What SearXNG finds costs nothing, and it opens none. `offered`
    are the providers that may be chosen, DeepSeek's own first.
    """

    chosen: Chosen | None
    price: int | None
    link_price: int | None
    offered: list[Offered]


def standing() -> Standing:
    """As it is now."""
    with fetching() as connection:
        chosen = search_settings.chosen(connection)
        price = price_of(connection, chosen, utc_now()) if chosen else None
        link_price = link_price_of(connection, chosen, utc_now()) if chosen else None
        offered = [
            Offered(row.id, row.name, deepseek.serves(row.base_url), bool(row.usable))
            for row in connection.execute(_OFFERED)
        ]
    return Standing(chosen, price, link_price, sorted(offered, key=lambda each: not each.own))


def price_of(connection: Connection, chosen: Chosen, now: datetime) -> int | None:
    """What a search costs then, in millionths of the currency that its provider bills in."""
    if chosen.kind == SEARXNG:
        return 0
    return _price(connection, MODELS[chosen.kind], chosen.currency, now)


def link_price_of(connection: Connection, chosen: Chosen, now: datetime) -> int | None:
    """The same of a link that is opened."""
    return 0 if chosen.kind == SEARXNG else _price(connection, deepseek.FETCH, chosen.currency, now)


def _price(connection: Connection, model: str, currency: str, now: datetime) -> int | None:
    priced = tariff_service.price(model, currency, now, connection)
    return priced.prices.request if priced else None


def switch_off(actor: Actor) -> None:
    """Nobody searches from the next question on."""
    _choose(actor, lambda _: None)


def use_deepseek(actor: Actor, provider_id: str) -> None:
    """Search by this provider's keys. Raises Invalid("unknown_search_provider")."""

    def find(session: Session) -> Provider:
        found = session.scalar(select(Provider).where(Provider.id == provider_id, Provider.kind == OPENAI, _had_key))
        if found is None:
            raise Invalid("unknown_search_provider")
        return found

    _choose(actor, find)


def use_searxng(actor: Actor, address: str) -> None:
    """Search by the SearXNG at this address.

    Raises Invalid as `addresses.normalise` does; `search_address_malformed` for what is no address.
    """
    base_url = _normalised(address)

    def find(session: Session) -> Provider:
        there = select(Provider).where(Provider.kind == SEARXNG, Provider.base_url == base_url)
        provider = session.scalars(there.order_by(Provider.id).limit(1)).first()
        if provider is None:
            provider = Provider(kind=SEARXNG, name=SEARXNG_NAME, base_url=base_url)
            session.add(provider)
            session.flush()
        return provider

    _choose(actor, find)


def _normalised(address: str) -> str:
    allows = config.current().allow_insecure_upstreams
    try:
        return addresses.normalise(address, allow_insecure=allows).removesuffix("/search")
    except Invalid as error:
        if error.code == "address_malformed":
            raise Invalid("search_address_malformed") from error
        raise


def _choose(actor: Actor, find: Callable[[Session], Provider | None]) -> None:
    def work(session: Session) -> None:
        found = stored_settings.locked(session, NAME)
        before, provider = session.get(Provider, found.get(NAME)) if found.get(NAME) else None, find(session)
        stored_settings.keep(session, found, {NAME: provider.id if provider else ""})
        if difference := audit_service.difference(_told(before), _told(provider)):
            audit_service.record(session, actor.user, "web_search.change", NAME, difference, actor.address)

    stored_settings.in_turn(work)


def _told(provider: Provider | None) -> dict[str, object]:
    """What the audit log says of a choice."""
    if provider is None:
        return {"engine": OFF, "provider": None, "address": None}
    kind = search_settings.kind_of(provider.kind)
    return {"engine": kind, "provider": provider.name, "address": provider.base_url}
