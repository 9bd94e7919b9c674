"""Which model makes the vectors that documents are searched with: a setting of the site.

None does until an administrator says so: it costs money, and what is searched goes to its provider. Nobody else makes
them in its place. Which models a group may ask does not matter: nobody asks it anything.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, table_of, utc_now
from flask_app.domain.serving import LOCAL, ServedModel
from flask_app.errors import AppError, Invalid
from flask_app.models import ApiKey, ChatModel, Provider, Setting
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import key_service, model_naming, model_service
from flask_app.services.providers.key_service import Candidate
from flask_app.services.site import stored_settings
from flask_app.services.tariffs import tariff_service

NAME = model_service.FOR_VECTORS

_keys = table_of(ApiKey)
_CHOSEN = select(Setting.value).where(Setting.name == NAME)
_KNOWN = select(ChatModel.id).where(ChatModel.id == bindparam("model"))
_NAME = (
    select(ChatModel.name)
    .join(Provider, Provider.id == ChatModel.provider_id)
    .where(ChatModel.id == bindparam("model"), Provider.kind != LOCAL)
)
_has_key = exists().where(_keys.c.provider_id == Provider.id, key_service.usable())
_STANDING = (
    select(ChatModel.name, Provider.name.label("provider"), Provider.currency, ChatModel.listed)
    .add_columns(_has_key.label("has_key"))
    .join(Provider, Provider.id == ChatModel.provider_id)
    .where(ChatModel.id == bindparam("model"))
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The chosen model: does its provider list it, has that a key that can be asked, and has the model a price now?"""

    name: str
    provider: str
    currency: str
    listed: bool
    has_key: bool
    priced: bool


def standing() -> Standing | None:
    """As it is now; None where no model is chosen."""
    with fetching() as connection:
        model_id = connection.scalar(_CHOSEN)
        row = connection.execute(_STANDING, {"model": model_id}).first() if model_id else None
        if row is None:
            return None
        priced = tariff_service.price(row.name, row.currency, utc_now(), connection) is not None
        return Standing(row.name, row.provider, row.currency, bool(row.listed), bool(row.has_key), priced)


def chosen() -> str | None:
    """The model's id; None where there is none, or it is gone."""
    with fetching() as connection:
        model_id = connection.scalar(_CHOSEN)
        return connection.scalar(_KNOWN, {"model": model_id}) if model_id else None


def model() -> ServedModel | None:
    """The model, where it can be asked now. Not for inside a transaction."""
    if (model_id := chosen()) is None:
        return None
    try:
        found = model_service.find(model_id, with_vectors=True)
    except AppError:
        return None
    return found if found.id == model_id and not found.local else None


def keys_of(model: ServedModel) -> list[Candidate]:
    """Those of its own provider alone: nobody else is asked in its place."""
    return [each for each in key_service.candidates(model) if each.model.provider_id == model.provider_id]


def name_of(model_id: str) -> str:
    """Of one that may be chosen. Raises Invalid("unknown_model")."""
    with fetching() as connection:
        name = connection.scalar(_NAME, {"model": model_id})
    if name is None:
        raise Invalid("unknown_model", model=model_id)
    return str(name)


def choose(actor: Actor, model_id: str | None) -> None:
    """From the next question on; with None documents are searched by words alone. Raises Invalid("unknown_model").

    Whether it makes any is for `choosing` to try.
    """

    def work(session: Session) -> None:
        if model_id is not None:
            _require_known(session, model_id)
        found = stored_settings.locked(session, NAME)
        before, after = model_naming.told_apart(session, found.get(NAME) or None, model_id)
        stored_settings.keep(session, found, {NAME: model_id or ""})
        if difference := audit_service.difference({"model": before}, {"model": after}):
            audit_service.record(session, actor.user, "embeddings.change", NAME, difference, actor.address)

    stored_settings.in_turn(work)


def _require_known(session: Session, model_id: str) -> None:
    if session.scalar(_NAME, {"model": model_id}) is None:
        raise Invalid("unknown_model", model=model_id)
