"""Which model makes the vectors that documents are searched with: a setting of the site.

None does until an administrator says so: it costs money, and what is searched goes to its provider. Nobody else makes
them in its place. Which models a group may ask does not matter: nobody asks it anything.
"""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from flask_app.database import fetching
from flask_app.domain.serving import LOCAL, ServedModel
from flask_app.errors import AppError, Invalid
from flask_app.models import ChatModel, Provider, Setting
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import model_naming, model_service
from flask_app.services.site import stored_settings

NAME = "embeddings"

_CHOSEN = select(Setting.value).where(Setting.name == NAME)
_KNOWN = select(ChatModel.id).where(ChatModel.id == bindparam("model"))


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
        found = model_service.find(model_id)
    except AppError:
        return None
    return found if found.id == model_id and not found.local else None


def choose(actor: Actor, model_id: str | None) -> None:
    """From the next question on; with None documents are searched by words alone. Raises Invalid("unknown_model")."""

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
    of_providers = select(ChatModel.id).join(Provider, Provider.id == ChatModel.provider_id)
    if session.scalar(of_providers.where(ChatModel.id == model_id, Provider.kind != LOCAL)) is None:
        raise Invalid("unknown_model", model=model_id)
