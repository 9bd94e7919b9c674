"""The models that can answer now: those of providers with a usable key, else the local demonstration model.

Nothing here may be called inside a transaction: the first use stores the environment's key and may ask a provider
for its list.
"""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, exists, or_, select
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.config import Config
from flask_app.database import fetching, in_transaction, is_id, table_of
from flask_app.domain import model_names
from flask_app.domain.serving import LOCAL, LOCAL_WINDOW, Allowed, ServedModel
from flask_app.errors import Forbidden, Invalid, Unavailable
from flask_app.models import ApiKey, ChatModel, Provider, Setting
from flask_app.services.completion import deepseek
from flask_app.services.providers import environment_key, key_service, model_lists, model_redirects
from flask_app.services.queries import join_order
from flask_app.statements import Query

PATIENCE_SECONDS = 5  # how long a first request waits for a provider's list
RETRY_SECONDS = 60
FOR_VECTORS = key_service.FOR_VECTORS

_models, _providers, _keys = table_of(ChatModel), table_of(Provider), table_of(ApiKey)
_settings = table_of(Setting)
_has_key = exists().where(_keys.c.provider_id == _providers.c.id, key_service.usable())
_has_model = exists().where(_models.c.provider_id == _providers.c.id, _models.c.listed)
_is_for_vectors = exists().where(_settings.c.name == FOR_VECTORS, _settings.c.value == _models.c.id)
_LISTED = (
    select(
        _models.c.id,
        _models.c.name,
        _models.c.label,
        _models.c.thinking,
        _models.c.sees,
        _models.c.context_tokens,
        _providers.c.id.label("provider_id"),
        _providers.c.name.label("provider"),
        _providers.c.kind,
        _providers.c.currency,
        _providers.c.base_url,
        _is_for_vectors.label("makes_vectors"),
    )
    .select_from(_providers)
    .join(_models, _models.c.provider_id == _providers.c.id)
    .where(_models.c.listed)
)
_order = (_providers.c.priority, _providers.c.id, _models.c.name)
_WITH_KEY = _LISTED.where(_providers.c.kind != LOCAL, _has_key)
_ALL = Query(_LISTED.where(or_(_providers.c.kind == LOCAL, _has_key)).order_by(*_order))
_BY_ID = Query(_WITH_KEY.where(_models.c.id == bindparam("wanted")))
_BY_NAME = Query(
    join_order.as_named(_WITH_KEY.add_columns(_providers.c.priority).where(_models.c.name == bindparam("wanted")))
)
_DEFAULT = Query(_WITH_KEY.order_by(*_order).limit(1))
# Few rows are put into the same order here: servers take a temporary table for it.
_NAMED_PLACE, _OFFERED_PLACE = attrgetter("priority", "provider_id"), attrgetter("provider_priority", "provider_id")
_ANY_KEY = select(
    exists().where(_keys.c.provider_id == _providers.c.id, _providers.c.kind != LOCAL, key_service.usable())
)
_UNREAD = select(_providers.c.id).where(_providers.c.kind != LOCAL, _has_key, ~_has_model)


@dataclass(slots=True)
class _Preparation:
    """What this process has made ready: for which settings, and when (monotonic seconds) to look again.

    `is_listed` comes with the first list that is read, or with the end of reading: waited for until `patience_ends`.
    """

    settings: Config | None = None
    due: float = math.inf
    patience_ends: float = 0.0
    is_listed: threading.Event = field(default_factory=threading.Event)


_lock = threading.Lock()  # nobody waits behind it for a database or a provider
_done = _Preparation()


def available(allowed: Allowed = None, *, with_vectors: bool = False) -> list[ServedModel]:
    """Every model that can be asked now by somebody to whom these are allowed, the default one first.

    Those that are for search by their names (`domain/model_names`) come last. `with_vectors` the one is among them
    that makes the vectors of documents: it is no model of the chat, and programs may ask it.
    """
    prepare()
    with fetching() as connection:
        served = [_served(row) for row in _ALL.rows(connection, {})]
    listed = [model for model in served if with_vectors or not model.makes_vectors]
    listed.sort(key=lambda model: model_names.is_for_search(model.name))
    found = [model for model in listed if not model.local] or _of_this_machine(listed)
    return [model for model in found if model.is_among(allowed)]


def keys_fail(models: list[ServedModel]) -> bool:
    """Are there keys to ask, and yet none that opens any of the `models` that are available?"""
    return all(model.local for model in models) and has_key()


def has_key() -> bool:
    """Is there a key to ask, of whatever provider?"""
    with fetching() as connection:
        return bool(connection.scalar(_ANY_KEY))


def find(wanted: str | None, allowed: Allowed = None, *, with_vectors: bool = False) -> ServedModel:
    """The model with this id, name or alias, the default one for None, for somebody to whom these are allowed.

    For a model that is known but no longer offered it is the one that follows it (see `model_redirects`); so it is
    for the one that makes the vectors of documents, if not `with_vectors` (see `available`). Raises
    Forbidden("model_not_for_group"), Invalid("unknown_model"), or Unavailable when there is none at all
    ("no_working_key" or "no_model"), or none that is allowed ("no_model_for_group").
    """
    prepare()
    row = _row(wanted)
    if row and _is_usual(model := _served(row), wanted, with_vectors=with_vectors) and model.is_among(allowed):
        return model
    models = available(with_vectors=with_vectors)
    if not models:
        raise Unavailable("no_working_key" if keys_fail(available(with_vectors=True)) else "no_model")
    return _among(models, wanted, allowed)


def find_offered(
    wanted: str | None, allowed: Allowed = None, *, with_vectors: bool = False
) -> tuple[ServedModel, Sequence[Any] | None]:
    """As `find` does, and the `key_service.offers` of its name where they say already which it is: one statement."""
    if wanted is not None and not is_id(wanted):
        prepare()
        offered = key_service.offers(wanted)
        row = min((row for row in offered if row.name == wanted), key=_OFFERED_PLACE, default=None)
        model = key_service.listed(row) if row else None
        if model and _is_usual(model, wanted, with_vectors=with_vectors) and model.is_among(allowed):
            return model, offered
    return find(wanted, allowed, with_vectors=with_vectors), None


def _row(wanted: str | None) -> Any | None:
    """The one row that is nearly always wanted, and not a provider's hundreds."""
    with fetching() as connection:
        if wanted is None:
            return _DEFAULT.row(connection, {})
        if is_id(wanted):
            return _BY_ID.row(connection, {"wanted": wanted})
        return min(_BY_NAME.rows(connection, {"wanted": wanted}), key=_NAMED_PLACE, default=None)


def _is_usual(model: ServedModel, wanted: str | None, *, with_vectors: bool) -> bool:
    """Is it what was asked for, whatever else there is?"""
    if model.makes_vectors and not with_vectors:
        return False
    return wanted is not None or not model_names.is_for_search(model.name)


def _among(models: list[ServedModel], wanted: str | None, allowed: Allowed) -> ServedModel:
    """The same of those that are available, one at least."""
    mine = [model for model in models if model.is_among(allowed)]
    if not mine:
        raise Unavailable("no_model_for_group")
    if wanted is None:
        return mine[0]
    named = next((model for model in models if wanted in (model.id, model.name)), None)
    found = named or model_redirects.target(wanted, mine)
    if found is None:
        raise Invalid("unknown_model", model=wanted[: model_lists.MAX_NAME_LENGTH])
    if not found.is_among(allowed):
        raise Forbidden("model_not_for_group", model=found.name)
    return found


def _served(row: Any) -> ServedModel:
    own = row._asdict()
    base_url, _ = own.pop("base_url"), own.pop("priority", None)
    return ServedModel(**own, efforts=deepseek.efforts(base_url, thinking=row.thinking))


def follower_of(name: str, allowed: Allowed = None) -> ServedModel | None:
    """Who answers instead of a model that is no longer offered; None for one that is, and where nobody is left."""
    models = available(allowed)
    if not models or any(model.name == name for model in models):
        return None
    return model_redirects.target(name, models) or models[0]


def prepare() -> None:
    """At first use: store the environment's key, and read the lists of providers that have none yet.

    While there is no list at all everybody waits for the first one, together. Those that could not be read are read
    again now and then, for which nobody waits.
    """
    settings = config.current()
    if _done.settings is not settings:
        _begin(settings)
    elif _is_time_again():
        environment_key.sync()
        _read_on(_unread(), _done.is_listed)
    if (patience := _done.patience_ends - time.monotonic()) > 0:
        _done.is_listed.wait(patience)


def _begin(settings: Config) -> None:
    """Whoever comes before it is done does the same: behind a database that hangs nobody waits in turn."""
    environment_key.sync()
    unread, is_listed = _unread(), threading.Event()
    with fetching() as connection:
        waits = bool(unread) and _DEFAULT.row(connection, {}) is None
    with _lock:
        if _done.settings is settings:
            return
        _read_on(unread, is_listed)
        _done.is_listed, _done.patience_ends = is_listed, time.monotonic() + PATIENCE_SECONDS if waits else 0
        _done.settings = settings


def _is_time_again() -> bool:
    """For one caller; the others pass meanwhile."""
    with _lock:
        now = time.monotonic()
        if now < _done.due:
            return False
        _done.due = now + RETRY_SECONDS
        return True


def _unread() -> list[str]:
    with fetching() as connection:
        return list(connection.scalars(_UNREAD))


def _read_on(unread: list[str], is_listed: threading.Event) -> None:
    """Read the lists of these providers on a thread of its own."""
    _done.due = time.monotonic() + RETRY_SECONDS if unread else math.inf
    if unread:
        threading.Thread(target=_read_lists, args=(unread, is_listed), name="model-lists", daemon=True).start()


def _of_this_machine(listed: list[ServedModel]) -> list[ServedModel]:
    """The local model, where it is installed; its rows are made when it is first needed."""
    local = key_service.local_model()
    if not local.available():
        return []
    known = [model for model in listed if model.name == local.name]
    return known or [in_transaction(lambda session: _add_local(session, local.name))]


def _add_local(session: Session, name: str) -> ServedModel:
    provider = session.scalars(select(Provider).where(Provider.kind == LOCAL).order_by(Provider.id)).first()
    if provider is None:
        provider = Provider(kind=LOCAL, name="MingChat", base_url="", currency="CNY")
        session.add(provider)
        session.flush()
    model = ChatModel(provider_id=provider.id, name=name, label=name, thinking=False, context_tokens=LOCAL_WINDOW)
    session.add(model)
    session.flush()
    return ServedModel(
        id=model.id,
        name=name,
        label=name,
        thinking=False,
        provider_id=provider.id,
        provider=provider.name,
        kind=LOCAL,
        currency=provider.currency,
        context_tokens=LOCAL_WINDOW,
    )


def _read_lists(provider_ids: list[str], is_listed: threading.Event) -> None:
    try:
        for provider_id in provider_ids:
            if model_lists.sync(provider_id):
                is_listed.set()
    finally:
        is_listed.set()
