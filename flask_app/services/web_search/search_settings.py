"""Who looks questions up on the web, and for whom: a setting of the site, and one of each group.

Nobody does until an administrator says so: it costs money, and questions go to whoever searches. `settings` has the
provider: one of the providers of models, which searches with its keys, or one of the kind SEARXNG, which has an address
and neither keys nor models. Where the chosen one has no key to ask nobody can search until it has one again.
"""

from dataclasses import dataclass

from sqlalchemy import Row, Select, bindparam, exists, or_, select
from sqlalchemy.engine import Connection

from flask_app.database import fetching, table_of
from flask_app.domain.serving import SEARXNG
from flask_app.models import ApiKey, Group, Provider, Setting, User
from flask_app.services.completion import deepseek
from flask_app.services.providers import key_service

NAME = "web_search"
OFF, DEEPSEEK = "off", "deepseek"
KINDS = (OFF, DEEPSEEK, SEARXNG)
MODELS = {DEEPSEEK: deepseek.SEARCH, SEARXNG: SEARXNG}  # what a search is booked and priced as

_settings, _providers, _groups, _keys = table_of(Setting), table_of(Provider), table_of(Group), table_of(ApiKey)
_has_key = exists().where(_keys.c.provider_id == _providers.c.id, key_service.usable())
_can = or_(_providers.c.kind == SEARXNG, _has_key)
_CHOSEN = (
    select(_providers.c.id, _providers.c.kind, _providers.c.name, _providers.c.base_url, _providers.c.currency)
    .add_columns(_can.label("usable"))
    .join(_settings, _settings.c.value == _providers.c.id)
    .where(_settings.c.name == NAME)
)
_WORKING: Select[str, str] = _CHOSEN.with_only_columns(_providers.c.id, _providers.c.kind).where(_can)
_OF_GROUP = _WORKING.where(exists().where(_groups.c.id == bindparam("group"), _groups.c.web_search))


@dataclass(frozen=True, slots=True)
class Engine:
    """Who searches: `kind` is DEEPSEEK or SEARXNG."""

    kind: str
    provider_id: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The provider that was chosen. `usable`: it can be asked now."""

    kind: str
    provider_id: str
    provider: str
    base_url: str
    currency: str
    usable: bool


def engine() -> Engine | None:
    """Who is asked now; None where nobody was chosen, or whoever was has no key to ask."""
    with fetching() as connection:
        row = connection.execute(_WORKING).first()
    return Engine(kind_of(row.kind), row.id) if row else None


def may_search(actor: User) -> bool:
    """May they, now? Somebody searches, and their group is not kept from it."""
    with fetching() as connection:
        return connection.execute(_OF_GROUP, {"group": actor.group_id}).first() is not None


def chosen(connection: Connection) -> Chosen | None:
    """Whoever was chosen, able to search or not."""
    row = connection.execute(_CHOSEN).first()
    return _chosen(row) if row else None


def kind_of(provider_kind: str) -> str:
    """How a provider of this kind is asked."""
    return SEARXNG if provider_kind == SEARXNG else DEEPSEEK


def _chosen(row: Row[str, str, str, str, str, bool]) -> Chosen:
    return Chosen(
        kind=kind_of(row.kind),
        provider_id=row.id,
        provider=row.name,
        base_url=row.base_url,
        currency=row.currency,
        usable=bool(row.usable),
    )
