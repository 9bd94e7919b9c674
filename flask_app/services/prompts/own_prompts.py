"""The prompts that a person keeps for themselves. Nobody else can read one."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, reading, utc_now
from flask_app.errors import Conflict, NotFound
from flask_app.models import Prompt, User
from flask_app.services.budgets import budget_service
from flask_app.services.prompts import prompt_terms
from flask_app.services.prompts.prompt_terms import Asked, Wanted
from flask_app.services.queries import paging

_ASKED = Asked()


class Listed(NamedTuple):
    """One in a list. `beginning` is that of its text."""

    id: str
    command: str
    title: str
    beginning: str
    updated_at: datetime


class Page(NamedTuple):
    """`next`: where the following one begins."""

    prompts: list[Listed]
    next: str | None


def listed(actor: User, asked: Asked = _ASKED) -> Page:
    """The person's own, the newest first; raises BadRequest for a bad limit or cursor."""
    limit = paging.checked_limit(asked.limit)
    columns = (Prompt.id, Prompt.command, Prompt.title, prompt_terms.beginning(Prompt), Prompt.updated_at)
    query = select(*columns).where(Prompt.user_id == actor.id, *prompt_terms.page_terms(Prompt, asked))
    with fetching() as connection:
        found = [Listed(*row) for row in connection.execute(query.order_by(Prompt.id.desc()).limit(limit + 1))]
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def one(actor: User, prompt_id: str) -> Prompt:
    """Raises NotFound for somebody else's."""
    with reading() as session:
        return _owned(session, actor, prompt_id)


def add(actor: User, wanted: Wanted) -> Prompt:
    """Raises Invalid, Conflict: prompt_command_taken, too_many_prompts."""
    columns = prompt_terms.checked(wanted)

    def work(session: Session) -> Prompt:
        budget_service.take_turn(session.connection(), actor.id)  # those of the same moment are counted one by one
        count = session.scalar(select(func.count()).where(Prompt.user_id == actor.id)) or 0
        if count >= prompt_terms.MOST:
            raise Conflict("too_many_prompts", limit=prompt_terms.MOST)
        _require_free(session, actor, columns["command_key"])
        prompt = Prompt(user_id=actor.id, **columns)
        session.add(prompt)
        session.flush()
        return prompt

    return in_transaction(work)


def change(actor: User, prompt_id: str, wanted: Wanted) -> Prompt:
    """Raises NotFound for somebody else's, Invalid, Conflict("prompt_command_taken")."""
    columns = prompt_terms.checked(wanted)

    def work(session: Session) -> Prompt:
        budget_service.take_turn(session.connection(), actor.id)
        prompt = _owned(session, actor, prompt_id)
        _require_free(session, actor, columns["command_key"], Prompt.id != prompt_id)
        for name, value in columns.items():
            setattr(prompt, name, value)
        prompt.updated_at = utc_now()
        return prompt

    return in_transaction(work)


def delete(actor: User, prompt_id: str) -> None:
    """Raises NotFound for somebody else's."""

    def work(session: Session) -> None:
        budget_service.take_turn(session.connection(), actor.id)
        session.delete(_owned(session, actor, prompt_id))

    in_transaction(work)


def _owned(session: Session, actor: User, prompt_id: str) -> Prompt:
    prompt = session.scalar(select(Prompt).where(Prompt.id == prompt_id, Prompt.user_id == actor.id))
    if prompt is None:
        raise NotFound
    return prompt


def _require_free(session: Session, actor: User, command_key: str, *others: ColumnElement[bool]) -> None:
    same = select(Prompt.id).where(Prompt.user_id == actor.id, Prompt.command_key == command_key, *others)
    if session.scalar(same.limit(1)) is not None:
        raise Conflict("prompt_command_taken")
