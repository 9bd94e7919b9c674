"""The prompts that administrators keep for everybody, or for the people of one group."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, reading, utc_now
from flask_app.errors import Conflict, NotFound
from flask_app.models import EVERYBODY, Group, SharedPrompt
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service, names
from flask_app.services.prompts import prompt_terms
from flask_app.services.prompts.prompt_terms import Asked, Wanted
from flask_app.services.queries import paging

_ASKED = Asked()
_TOLD = 200  # characters of a text that the audit log keeps of each


class Listed(NamedTuple):
    """One in a list. `beginning` is that of its text; without a group it is for everybody."""

    id: str
    command: str
    title: str
    beginning: str
    updated_at: datetime
    group_id: str | None
    group_name: str | None


class Page(NamedTuple):
    """`next`: where the following one begins."""

    prompts: list[Listed]
    next: str | None


def listed(asked: Asked = _ASKED) -> Page:
    """All of them, the newest first; raises BadRequest for a bad limit or cursor."""
    limit = paging.checked_limit(asked.limit)
    shared = SharedPrompt
    columns = (shared.id, shared.command, shared.title, prompt_terms.beginning(shared), shared.updated_at)
    query = select(*columns, shared.group_id, Group.name).outerjoin(Group, Group.id == shared.group_id)
    query = query.where(*prompt_terms.page_terms(shared, asked)).order_by(shared.id.desc()).limit(limit + 1)
    with fetching() as connection:
        found = [Listed(*row) for row in connection.execute(query)]
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def one(prompt_id: str) -> SharedPrompt:
    """Raises NotFound."""
    with reading() as session:
        prompt = session.get(SharedPrompt, prompt_id)
    if prompt is None:
        raise NotFound
    return prompt


def by_command(command: str, group_id: str | None) -> SharedPrompt:
    """Raises NotFound("unknown_prompt")."""
    terms = (SharedPrompt.scope_id == _scope(group_id), SharedPrompt.command_key == names.key(command.lstrip("/")))
    with reading() as session:
        prompt = session.scalar(select(SharedPrompt).where(*terms))
    if prompt is None:
        raise NotFound("unknown_prompt")
    return prompt


def add(actor: Actor, group_id: str | None, wanted: Wanted) -> SharedPrompt:
    """Raises Invalid, Conflict: prompt_command_taken, too_many_prompts."""
    columns = prompt_terms.checked(wanted)

    def work(session: Session) -> SharedPrompt:
        prompt = SharedPrompt()
        _put(session, prompt, group_id, columns)
        session.add(prompt)
        session.flush()
        details = _briefly(_told(session, prompt))
        audit_service.record(session, actor.user, "prompt.add", prompt.id, details, actor.address)
        return prompt

    return _unless_taken(work)


def change(actor: Actor, prompt_id: str, group_id: str | None, wanted: Wanted) -> SharedPrompt:
    """Its words, and whom it is for. Raises NotFound, Invalid, Conflict: prompt_command_taken, too_many_prompts."""
    columns = prompt_terms.checked(wanted)

    def work(session: Session) -> SharedPrompt:
        prompt = _locked(session, prompt_id)
        before = _told(session, prompt)
        _put(session, prompt, group_id, columns)
        if difference := audit_service.difference(before, _told(session, prompt)):
            prompt.updated_at = utc_now()
            details = {"command": prompt.command, **{when: _briefly(told) for when, told in difference.items()}}
            audit_service.record(session, actor.user, "prompt.change", prompt_id, details, actor.address)
        session.flush()
        return prompt

    return _unless_taken(work)


def delete(actor: Actor, prompt_id: str) -> None:
    """Raises NotFound."""

    def work(session: Session) -> None:
        prompt = _locked(session, prompt_id)
        details = _briefly(_told(session, prompt))
        session.delete(prompt)
        audit_service.record(session, actor.user, "prompt.delete", prompt_id, details, actor.address)

    in_transaction(work)


def _put(session: Session, prompt: SharedPrompt, group_id: str | None, columns: dict[str, str]) -> None:
    scope_id = _scope(group_id)
    if group_id is not None:
        group_service.chosen(session, group_id)  # it is not deleted meanwhile
    there = SharedPrompt.scope_id == scope_id
    if prompt.scope_id != scope_id and _count(session, there) >= prompt_terms.MOST:
        raise Conflict("too_many_prompts", limit=prompt_terms.MOST)
    others = SharedPrompt.id != (prompt.id or "")
    if _count(session, there, others, SharedPrompt.command_key == columns["command_key"]):
        raise Conflict("prompt_command_taken")
    prompt.group_id, prompt.scope_id = group_id, scope_id
    for name, value in columns.items():
        setattr(prompt, name, value)


def _count(session: Session, *terms: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(SharedPrompt).where(*terms)) or 0


def _unless_taken(work: Callable[[Session], SharedPrompt]) -> SharedPrompt:
    try:
        return in_transaction(work)
    except IntegrityError as error:  # another administrator has taken the command in this moment
        raise Conflict("prompt_command_taken") from error


def _locked(session: Session, prompt_id: str) -> SharedPrompt:
    prompt = session.get(SharedPrompt, prompt_id, with_for_update=True)
    if prompt is None:
        raise NotFound
    return prompt


def _scope(group_id: str | None) -> str:
    return EVERYBODY if group_id is None else group_id


def _told(session: Session, prompt: SharedPrompt) -> dict[str, object]:
    group = session.get(Group, prompt.group_id) if prompt.group_id else None
    told = {name: getattr(prompt, name) for name in ("command", "title", "text")}
    return {**told, "group": group.name if group else None}


def _briefly(told: dict[str, object]) -> dict[str, object]:
    """Of a text its beginning and its length: a page of the audit log shows many."""
    text = told.get("text")
    return {**told, "text": text[:_TOLD], "length": len(text)} if isinstance(text, str) else told
