"""The keys that open a provider, for whoever is about to ask it, and what came of asking."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update
from sqlalchemy.engine import Connection

from flask_app import config
from flask_app.database import fetching, table_of, transaction, utc_now
from flask_app.domain.serving import ServedModel
from flask_app.errors import Unavailable
from flask_app.models import ApiKey, Provider
from flask_app.services import sealing
from flask_app.services.sealing import Unreadable
from flask_app.upstream.local_model import LocalModel, LocalModelUnavailable

# How long a key that failed so is asked last. It is still asked where it is the only one.
BENCH = {
    "upstream_key_refused": timedelta(minutes=10),
    "upstream_no_balance": timedelta(minutes=10),
    "upstream_busy": timedelta(seconds=30),
}
USED_EVERY = timedelta(minutes=1)  # "last used" is no finer than this, to spare a write an answer

log = structlog.get_logger()

_SECRET = re.compile(r"[\x21-\x7e]{8,512}")
_keys, _providers = table_of(ApiKey), table_of(Provider)


@dataclass(frozen=True, slots=True)
class UsableKey:
    """A key with the one address it may be sent to. `id` is None for the local model, which has no row."""

    id: str | None
    base_url: str
    secret: str = field(repr=False)


def is_secret(text: str) -> bool:
    """Could this be a provider's key? It goes into an HTTP header: visible ASCII only."""
    return _SECRET.fullmatch(text) is not None


def usable() -> ColumnElement[bool]:
    """The condition on `api_keys` for a key that may be asked."""
    return and_(_keys.c.disabled.is_(False), _keys.c.deleted_at.is_(None), _keys.c.secret.is_not(None))


_CANDIDATES = (
    select(_keys.c.id, _keys.c.secret, _keys.c.last_error_code, _keys.c.last_error_at, _providers.c.base_url)
    .join(_providers, _providers.c.id == _keys.c.provider_id)
    .where(_keys.c.provider_id == bindparam("provider"), usable())
    .order_by(_keys.c.id)
)
_NOTE_USED = (
    update(_keys)
    .where(
        _keys.c.id == bindparam("key"),
        or_(
            _keys.c.last_used_at.is_(None),
            _keys.c.last_used_at < bindparam("long_ago"),
            _keys.c.last_error_at < bindparam("moment"),
        ),
    )
    .values(last_used_at=bindparam("moment"), last_error_code=None, last_error_at=None)
)
_NOTE_ERROR = (
    update(_keys)
    .where(_keys.c.id == bindparam("key"))
    .values(last_error_code=bindparam("code"), last_error_at=bindparam("moment"))
)


def candidates(model: ServedModel) -> list[UsableKey]:
    """The keys that may be asked for an answer of `model`, in the order to try them; none is an empty list.

    Starts the local model where that is what answers. Raises Unavailable when it does not start, or when keys are
    there and none can be decrypted.
    """
    return [_local()] if model.demo else of_provider(model.provider_id)


def of_provider(provider_id: str) -> list[UsableKey]:
    """A provider's usable keys, those that lately failed last; raises Unreadable when none can be decrypted."""
    with fetching() as connection:
        rows = connection.execute(_CANDIDATES, {"provider": provider_id}).all()
    found, unreadable, now = [], None, utc_now()
    for row in sorted(rows, key=lambda row: _is_benched(row.last_error_code, row.last_error_at, now)):
        try:
            found.append(UsableKey(row.id, row.base_url, sealing.unseal(row.secret, row.id)))
        except Unreadable as error:
            log.warning("key_unreadable", key=row.id, code=error.code)
            unreadable = error
    if unreadable and not found:
        raise unreadable
    return found


def note_used(connection: Connection, key_id: str, moment: datetime) -> None:
    """The key answered: an error noted before `moment` is over."""
    values = {"key": key_id, "moment": moment, "long_ago": moment - USED_EVERY}
    connection.execute(_NOTE_USED, values)


def note_error(key_id: str | None, code: str) -> None:
    """The provider refused the key, or failed: the administrator sees it, and other keys are asked first."""
    if key_id is None:
        return
    with transaction() as session:
        session.connection().execute(_NOTE_ERROR, {"key": key_id, "code": code, "moment": utc_now()})


def note_success(key_id: str) -> None:
    """The provider accepted the key: what was noted against it is over."""
    with transaction() as session:
        session.connection().execute(_NOTE_ERROR, {"key": key_id, "code": None, "moment": None})


def local_model() -> LocalModel:
    """This process's local model, running or not."""
    return _local_model(config.current().local_model_path)


def warm_up() -> None:
    """Start the local model in the background: a person who is about to write need not wait for it."""
    local_model().warm_up()


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


def _is_benched(code: str | None, at: datetime | None, now: datetime) -> bool:
    return code in BENCH and at is not None and now - at < BENCH[code]
