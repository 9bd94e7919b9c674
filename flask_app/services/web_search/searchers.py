"""Who searches the web now, and by which keys: those of a provider, in their order, or an address without one."""

from dataclasses import dataclass

from flask_app import config
from flask_app.database import fetching
from flask_app.domain.serving import SEARXNG
from flask_app.errors import Forbidden
from flask_app.models import User
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.web_search import search_settings
from flask_app.services.web_search.search_settings import DEEPSEEK, Chosen
from flask_app.upstream.client import Endpoint


@dataclass(frozen=True, slots=True)
class Door:
    """Where to ask, and with what. `key` is None where no key is needed."""

    endpoint: Endpoint
    key: UsableKey | None = None

    @property
    def key_id(self) -> str | None:
        return self.key.id if self.key else None

    def shares_account_with(self, other: "Door") -> bool:
        return self.key is not None and other.key is not None and self.key.shares_account_with(other.key)


@dataclass(frozen=True, slots=True)
class Searcher:
    """An engine that can be asked: `kind` deepseek or searxng, by at least one of the `doors`.

    `currency` is what its provider bills in, empty where nobody bills.
    """

    kind: str
    provider_id: str
    provider: str
    currency: str
    doors: tuple[Door, ...]

    @property
    def opens(self) -> bool:
        """Can it open links, too?"""
        return self.kind == DEEPSEEK


def find(actor: User) -> Searcher:
    """Raises Forbidden("search_off") where the person may not search now, or nobody can. Not inside a transaction."""
    found = now() if search_settings.may_search(actor) else None
    if found is None:
        raise Forbidden("search_off")
    return found


def now() -> Searcher | None:
    """Whoever it is for; None where nobody can be asked. Not inside a transaction."""
    with fetching() as connection:
        chosen = search_settings.chosen(connection)
    doors = _doors(chosen) if chosen else ()
    if chosen is None or not doors:
        return None
    currency = "" if chosen.kind == SEARXNG else chosen.currency
    return Searcher(chosen.kind, chosen.provider_id, chosen.provider, currency, doors)


def _doors(chosen: Chosen) -> tuple[Door, ...]:
    if chosen.kind == SEARXNG:
        return (Door(Endpoint(chosen.base_url, "", config.current().allow_insecure_upstreams)),)
    return tuple(Door(key.endpoint(), key) for key in key_service.of_provider(chosen.provider_id))
