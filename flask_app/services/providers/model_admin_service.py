"""What an administrator does with models: other names for them, and who follows one that is no longer offered."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading
from flask_app.domain.serving import LOCAL, folded
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import ChatModel, ModelAlias, Provider
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import model_naming, model_service
from flask_app.services.providers.model_lists import MAX_NAME_LENGTH

MAX_ALIASES = 20


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model that some provider lists or has listed. `offered`: can it be asked now?"""

    model: ChatModel
    provider: str
    aliases: list[str]
    offered: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """Who follows a model once it is gone, its other names, the size of its context window where that is known, and
    whether pictures may be sent to it: None leaves that as it is.
    """

    successor_id: str | None
    aliases: Sequence[str]
    context_tokens: int | None
    sees: bool | None = None


def listed() -> list[ModelStatus]:
    """Every provider's models, those that are offered first."""
    offered = {model.id for model in model_service.available(with_vectors=True)}
    query = (
        select(ChatModel, Provider.name)
        .join(Provider, Provider.id == ChatModel.provider_id)
        .where(Provider.kind != LOCAL)
        .order_by(ChatModel.listed.desc(), Provider.priority, Provider.id, ChatModel.name)
    )
    with reading() as session:
        rows = session.execute(query).all()
        aliases = session.execute(select(ModelAlias.model_id, ModelAlias.name).order_by(ModelAlias.name_key)).all()
    names: dict[str, list[str]] = {}
    for alias in aliases:
        names.setdefault(alias.model_id, []).append(alias.name)
    found = [ModelStatus(model, name, names.get(model.id, []), model.id in offered) for model, name in rows]
    return sorted(found, key=lambda status: not status.offered)


def change(actor: Actor, model_id: str, settings: Settings) -> list[ModelStatus]:
    """Take these settings in the place of those that it had; gives the whole list anew.

    Raises NotFound, Invalid("bad_alias", "too_many_aliases", "bad_successor"), or Conflict where the name is another
    model's.
    """
    names, successor_id = _aliases(settings.aliases), settings.successor_id

    def work(session: Session) -> None:
        model = session.get(ChatModel, model_id, with_for_update=True)
        if model is None:
            raise NotFound
        _check_successor(session, model, successor_id)
        _check_free(session, model, names)
        previous, following = model_naming.told_apart(session, model.successor_id, successor_id)
        before = _told(session, model, previous)
        model.successor_id, model.context_tokens = successor_id, settings.context_tokens
        model.sees = model.sees if settings.sees is None else settings.sees
        session.execute(delete(ModelAlias).where(ModelAlias.model_id == model.id))
        session.add_all(ModelAlias(name=name, name_key=key, model_id=model.id) for key, name in names.items())
        session.flush()
        if difference := audit_service.difference(before, _told(session, model, following)):
            details = {"name": model.name, **difference}
            audit_service.record(session, actor.user, "model.change", model.id, details, actor.address)

    try:
        in_transaction(work)
    except IntegrityError as error:  # somebody gave the name away in the same moment
        raise Conflict from error
    return listed()


def _told(session: Session, model: ChatModel, successor: str | None) -> dict[str, object]:
    """What the audit log says of it."""
    names = select(ModelAlias.name).where(ModelAlias.model_id == model.id).order_by(ModelAlias.name_key)
    return {
        "successor": successor,
        "aliases": list(session.scalars(names)),
        "context_tokens": model.context_tokens,
        "sees": model.sees,
    }


def _aliases(raw: Sequence[str]) -> dict[str, str]:
    names = {folded(name.strip()): name.strip() for name in raw if name.strip()}
    if len(names) > MAX_ALIASES:
        raise Invalid("too_many_aliases", limit=MAX_ALIASES)
    for key, name in names.items():
        if not name.isprintable() or max(len(name), len(key)) > MAX_NAME_LENGTH:
            raise Invalid("bad_alias", limit=MAX_NAME_LENGTH)
    return names


def _check_successor(session: Session, model: ChatModel, successor_id: str | None) -> None:
    """Whoever follows must be there, and must not lead back."""
    passed = {model.id}
    while successor_id is not None:
        successor = session.get(ChatModel, successor_id)
        if successor is None or successor.id in passed:
            raise Invalid("bad_successor")
        passed.add(successor.id)
        successor_id = successor.successor_id


def _check_free(session: Session, model: ChatModel, names: dict[str, str]) -> None:
    others = select(ModelAlias.name).where(ModelAlias.name_key.in_(names), ModelAlias.model_id != model.id)
    listed = select(ChatModel.name).where(ChatModel.listed, func.lower(ChatModel.name).in_(names))
    taken = session.scalars(others).first() or session.scalars(listed).first()
    if taken is not None:
        raise Conflict("alias_taken", alias=taken)
