"""Which model writes the titles of conversations: a setting of the site.

On a site that is set up it is the one that new chats begin with, until an administrator chooses another or none. A site
from before that keeps what it had: without a choice nobody writes them.
"""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from flask_app.database import fetching
from flask_app.domain.serving import LOCAL
from flask_app.errors import Invalid
from flask_app.models import ChatModel, Provider, Setting
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import model_naming
from flask_app.services.site import stored_settings
from flask_app.statements import Query

NAME = "titles"
DEFAULT = "default"  # in the place of an id: the model that new chats begin with, whichever that is

_CHOSEN = Query(select(Setting.value).where(Setting.name == NAME))
_KNOWN = select(ChatModel.id).where(ChatModel.id == bindparam("model"))


def chosen() -> str | None:
    """The model's id, or DEFAULT; None where there is none, or it is gone."""
    with fetching() as connection:
        model_id = _CHOSEN.value(connection, {})
        if model_id == DEFAULT:
            return DEFAULT
        return connection.scalar(_KNOWN, {"model": model_id}) if model_id else None


def choose(actor: Actor, model_id: str | None) -> None:
    """From the next answer on; DEFAULT is taken for an id, None leaves titles to the first words.

    Raises Invalid("unknown_model").
    """

    def work(session: Session) -> None:
        if model_id is not None:
            _require_known(session, model_id)
        found = stored_settings.locked(session, NAME)
        before, after = model_naming.told_apart(session, found.get(NAME) or None, model_id)
        stored_settings.keep(session, found, {NAME: model_id or ""})
        if difference := audit_service.difference({"model": before}, {"model": after}):
            audit_service.record(session, actor.user, "titles.change", NAME, difference, actor.address)

    stored_settings.in_turn(work)


def begin(session: Session) -> None:
    """As a site that is set up has it, within that transaction. A choice that is there already stays."""
    if session.get(Setting, NAME) is None:
        session.add(Setting(name=NAME, value=DEFAULT))


def _require_known(session: Session, model_id: str) -> None:
    of_providers = select(ChatModel.id).join(Provider, Provider.id == ChatModel.provider_id)
    known = of_providers.where(ChatModel.id == model_id, Provider.kind != LOCAL)
    if model_id != DEFAULT and session.scalar(known) is None:
        raise Invalid("unknown_model", model=model_id)
