"""The keys that open a provider, for whoever is about to ask it, in the order to ask them."""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, or_, select

from flask_app import config
from flask_app.database import fetching, table_of
from flask_app.domain.cooldown import Draw, Rank
from flask_app.domain.serving import ServedModel, folded
from flask_app.errors import Unavailable
from flask_app.models import ApiKey, ChatModel, Provider, Setting
from flask_app.services.completion import deepseek
from flask_app.services.queries import join_order
from flask_app.services.secrets import sealing
from flask_app.services.secrets.sealing import Unreadable
from flask_app.statements import Query
from flask_app.upstream.client import Endpoint
from flask_app.upstream.local_model import LocalModel, LocalModelUnavailable

log = structlog.get_logger()
draw: Draw = secrets.SystemRandom().random

_SECRET = re.compile(r"[\x21-\x7e]{8,512}")
FOR_VECTORS = "embeddings"  # the setting that names the model which makes documents' vectors
_keys, _providers, _models = table_of(ApiKey), table_of(Provider), table_of(ChatModel)
_settings = table_of(Setting)


@dataclass(frozen=True, slots=True)
class UsableKey:
    """A key with the one address it may be sent to. `id` is None for the local model, which has no row."""

    id: str | None
    base_url: str
    secret: str = field(repr=False)
    provider_id: str = ""
    account: str | None = None
    max_concurrent: int | None = None

    def endpoint(self) -> Endpoint:
        """Where to ask; only what this process started itself, or the setting allows, may be in this network."""
        return Endpoint(self.base_url, self.secret, self.id is None or config.current().allow_insecure_upstreams)

    @property
    def completes_prefixes(self) -> bool:
        """Is it DeepSeek's, which goes on with an answer that has begun?"""
        return deepseek.serves(self.base_url)

    def shares_account_with(self, other: "UsableKey") -> bool:
        same_account = self.account is not None and self.account == other.account
        return self.id == other.id or (same_account and self.provider_id == other.provider_id)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key that may be asked for an answer, and the model as its own provider lists it."""

    key: UsableKey
    model: ServedModel


def is_secret(text: str) -> bool:
    """Could this be a provider's key? It goes into an HTTP header: visible ASCII only."""
    return _SECRET.fullmatch(text) is not None


def usable() -> ColumnElement[bool]:
    """The condition on `api_keys` for a key that may be asked."""
    return and_(_keys.c.disabled.is_(False), _keys.c.deleted_at.is_(None), _keys.c.secret.is_not(None))


def of_account(key: UsableKey) -> ColumnElement[bool]:
    """The condition on `api_keys` for a key and those of its account."""
    alone = _keys.c.id == key.id
    if key.account is None:
        return alone
    return or_(alone, and_(_keys.c.provider_id == key.provider_id, _keys.c.account == key.account))


_KEY = (
    _keys.c.id.label("key_id"),
    _keys.c.secret,
    _keys.c.account,
    _keys.c.max_concurrent,
    _keys.c.priority,
    _keys.c.weight,
    _providers.c.id.label("provider_id"),
    _providers.c.base_url,
)
_OF_PROVIDER = (
    select(*_KEY)
    .join(_providers, _providers.c.id == _keys.c.provider_id)
    .where(_keys.c.provider_id == bindparam("provider"), usable())
    .order_by(_keys.c.benched_until.is_not(None), _keys.c.priority, _keys.c.id)
)
_NAMED = (
    select(
        *_KEY,
        _models.c.id.label("model_id"),
        _models.c.name,
        _models.c.label,
        _models.c.thinking,
        _models.c.sees,
        _models.c.context_tokens,
        _providers.c.name.label("provider"),
        _providers.c.kind,
        _providers.c.currency,
        _providers.c.priority.label("provider_priority"),
        select(_settings.c.value).where(_settings.c.name == FOR_VECTORS).scalar_subquery().label("for_vectors"),
    )
    .select_from(_providers)
    .join(_models, _models.c.provider_id == _providers.c.id)
    .join(_keys, _keys.c.provider_id == _providers.c.id)
    .where(_models.c.listed, usable())
)
_name: BindParameter[str] = bindparam("name")
# Of a server letters are equal whatever their case, as its index has them: few providers, and one look at each.
_BY_SERVER = Query(join_order.as_named(_NAMED.where(_models.c.name == _name)))
_BY_SQLITE = Query(_NAMED.where(_models.c.name.collate("NOCASE") == _name))


def offers(name: str) -> list[Any]:
    """Every provider's usable key that lists the name, whatever its case, with the model as that provider lists it."""
    with fetching() as connection:
        query = _BY_SQLITE if connection.dialect.name == "sqlite" else _BY_SERVER
        rows = query.rows(connection, {"name": name})
    return sorted((row for row in rows if folded(row.name) == folded(name)), key=attrgetter("key_id"))


def listed(row: Any) -> ServedModel:
    """The model of one of the `offers`."""
    makes_vectors = row.for_vectors == row.model_id
    return replace(_served(row), context_tokens=row.context_tokens, makes_vectors=makes_vectors)


def candidates(
    model: ServedModel, *, offered: Sequence[Any] | None = None, chance: Draw | None = None
) -> list[Candidate]:
    """Who may be asked for an answer of `model`, in the order to ask: every provider's keys that lists the name.

    `offered` are the `offers` of its name, where they have just been read. Starts the local model where that is what
    answers. Raises Unavailable when it does not start, or when keys are there and none can be decrypted. None at all is
    an empty list.
    """
    if model.local:
        return [Candidate(_local(), model)]
    same = offers(model.name) if offered is None else list(offered)
    same.sort(key=lambda row: _rank(row, model).drawn(chance or draw))
    models = {row.model_id: row for row in same}
    served = {model_id: _served(row) for model_id, row in models.items()}
    return [Candidate(key, served[row.model_id]) for row, key in _opened(same)]


def of_provider(provider_id: str) -> list[UsableKey]:
    """A provider's usable keys, benched ones last; raises Unreadable when none can be decrypted."""
    with fetching() as connection:
        rows = connection.execute(_OF_PROVIDER, {"provider": provider_id}).all()
    return [key for _, key in _opened(rows)]


def local_model() -> LocalModel:
    """This process's local model, running or not."""
    return _local_model(config.current().local_model_path)


def warm_up() -> None:
    """Start the local model in the background: a person who is about to write need not wait for it."""
    local_model().warm_up()


def _rank(row: Any, model: ServedModel) -> Rank:
    return Rank(
        provider_priority=row.provider_priority,
        chosen=row.provider_id == model.provider_id,
        priority=row.priority,
        weight=row.weight,
    )


def _served(row: Any) -> ServedModel:
    return ServedModel(
        id=row.model_id,
        name=row.name,
        label=row.label,
        thinking=row.thinking,
        efforts=deepseek.efforts(row.base_url, thinking=row.thinking),
        provider_id=row.provider_id,
        provider=row.provider,
        kind=row.kind,
        currency=row.currency,
        sees=row.sees,
    )


def _opened(rows: Iterable[Any]) -> list[tuple[Any, UsableKey]]:
    """The rows whose secrets can be read; raises Unreadable when there are rows and none can."""
    found, unreadable = [], None
    for row in rows:
        try:
            secret = sealing.unseal(row.secret, row.key_id)
        except Unreadable as error:
            log.warning("key_unreadable", key=row.key_id, code=error.code)
            unreadable = error
        else:
            key = UsableKey(row.key_id, row.base_url, secret, row.provider_id, row.account, row.max_concurrent)
            found.append((row, key))
    if unreadable and not found:
        raise unreadable
    return found


@lru_cache(maxsize=4)
def _local_model(path: Path | None) -> LocalModel:
    return LocalModel(path)


def _local() -> UsableKey:
    try:
        endpoint = local_model().endpoint()
    except LocalModelUnavailable as error:
        log.warning("local_model_unavailable", reason=str(error))
        raise Unavailable("local_model_unavailable") from error
    return UsableKey(None, endpoint.base_url, endpoint.api_key)
