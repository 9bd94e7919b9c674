"""The assistants that a person has made. Nobody else can read one, or have it answer."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, reading, utc_now
from flask_app.domain.serving import Allowed
from flask_app.errors import Conflict, NotFound
from flask_app.models import Assistant, User
from flask_app.services.assistants import assistant_terms, known_files
from flask_app.services.assistants.assistant_terms import Wanted
from flask_app.services.budgets import budget_service


class Listed(NamedTuple):
    """One in the list. `beginning` is that of its instructions."""

    id: str
    name: str
    icon: str
    beginning: str
    model: str | None
    thinking: str | None
    updated_at: datetime


def listed(actor: User) -> list[Listed]:
    """The person's own, the newest first: no more than `assistant_terms.MOST`."""
    own = Assistant
    beginning = assistant_terms.beginning(own)
    query = select(own.id, own.name, own.icon, beginning, own.model, own.thinking, own.updated_at)
    with fetching() as connection:
        return [
            Listed(*row) for row in connection.execute(query.where(own.user_id == actor.id).order_by(own.id.desc()))
        ]


def one(actor: User, assistant_id: str) -> Assistant:
    """Raises NotFound for somebody else's."""
    with reading() as session:
        return _owned(session, actor, assistant_id)


def add(actor: User, wanted: Wanted, allowed: Allowed = None) -> Assistant:
    """Raises what `assistant_terms.checked` and `known_files.put` do, and Conflict("too_many_assistants")."""
    columns = assistant_terms.checked(wanted, allowed)

    def work(session: Session) -> Assistant:
        budget_service.take_turn(session.connection(), actor.id)  # those of the same moment are counted one by one
        count = session.scalar(select(func.count()).where(Assistant.user_id == actor.id)) or 0
        if count >= assistant_terms.MOST:
            raise Conflict("too_many_assistants", limit=assistant_terms.MOST)
        session.add(assistant := Assistant(user_id=actor.id, **columns))
        session.flush()
        known_files.put(session, actor, assistant, wanted.get("files", ()))
        return assistant

    return in_transaction(work)


def change(actor: User, assistant_id: str, wanted: Wanted, allowed: Allowed = None) -> Assistant:
    """What is given of it; the rest stays. Raises NotFound for somebody else's, and what adding one does."""
    one(actor, assistant_id)  # before a model is looked for
    columns: dict[str, Any] = assistant_terms.checked(wanted, allowed)

    def work(session: Session) -> Assistant:
        budget_service.take_turn(session.connection(), actor.id)
        assistant = _owned(session, actor, assistant_id)
        for name, value in columns.items():
            setattr(assistant, name, value)
        if "files" in wanted:
            known_files.put(session, actor, assistant, wanted["files"])
        assistant.updated_at = utc_now()
        return assistant

    return in_transaction(work)


def delete(actor: User, assistant_id: str) -> None:
    """Its conversations go on without it, and its files go as others do that no message has.

    Raises NotFound for somebody else's.
    """

    def work(session: Session) -> None:
        budget_service.take_turn(session.connection(), actor.id)
        session.delete(_owned(session, actor, assistant_id))

    in_transaction(work)


def _owned(session: Session, actor: User, assistant_id: str) -> Assistant:
    own = (Assistant.id == assistant_id, Assistant.user_id == actor.id)
    assistant = session.scalar(select(Assistant).where(*own))
    if assistant is None:
        raise NotFound
    return assistant
