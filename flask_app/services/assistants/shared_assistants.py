"""The assistants that administrators keep for everybody, or for the people of one group."""

from collections.abc import Callable
from datetime import datetime
from typing import IO, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, reading, utc_now
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import DEFAULT_GROUP_ID, Group, SharedAssistant
from flask_app.services.assistants import assistant_terms, shared_files
from flask_app.services.assistants.assistant_terms import Wanted
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.queries import paging

_TOLD = 200  # characters of instructions that the audit log keeps of each


class Listed(NamedTuple):
    """One in a list. `beginning` is that of its instructions; without a group it is for everybody."""

    id: str
    name: str
    icon: str
    beginning: str
    model: str | None
    thinking: str | None
    updated_at: datetime
    group_id: str | None
    group_name: str | None


class Page(NamedTuple):
    """`next`: where the following one begins."""

    assistants: list[Listed]
    next: str | None


def listed(before: str | None = None, limit: int = paging.PAGE) -> Page:
    """All of them, the newest first; raises BadRequest for a bad limit or cursor."""
    limit, shared = paging.checked_limit(limit), SharedAssistant
    terms = [] if before is None else [shared.id < paging.checked_id(before)]
    columns = (shared.id, shared.name, shared.icon, assistant_terms.beginning(shared), shared.model, shared.thinking)
    query = select(*columns, shared.updated_at, shared.group_id, Group.name)
    query = query.outerjoin(Group, Group.id == shared.group_id).where(*terms)
    with fetching() as connection:
        rows = connection.execute(query.order_by(shared.id.desc()).limit(limit + 1))
        found = [Listed(*row) for row in rows]
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def one(assistant_id: str) -> SharedAssistant:
    """Raises NotFound("unknown_shared_assistant")."""
    with reading() as session:
        return _found(session.get(SharedAssistant, assistant_id))


def add(actor: Actor, group_id: str | None, wanted: Wanted) -> SharedAssistant:
    """Raises what `assistant_terms.checked` and `shared_files.put` do, and Conflict("too_many_assistants")."""
    columns = assistant_terms.checked(wanted, None)

    def work(session: Session) -> SharedAssistant:
        _require_room(session, group_id)
        session.add(assistant := SharedAssistant(group_id=group_id, **columns))
        session.flush()
        shared_files.put(session, actor.user, assistant.id, wanted.get("files", ()))
        told = _briefly(_told(session, assistant))
        audit_service.record(session, actor.user, "assistant.add", assistant.id, told, actor.address)
        return assistant

    return in_transaction(work)


def change(
    actor: Actor, assistant_id: str, wanted: Wanted, *, whose: tuple[str | None] | None = None
) -> SharedAssistant:
    """What is given of it, and whom it is for where `whose` says so; the rest stays.

    Raises NotFound, and what adding one does.
    """
    one(assistant_id)  # before a model is looked for
    columns = assistant_terms.checked(wanted, None)

    def work(session: Session, assistant: SharedAssistant) -> None:
        if whose is not None and whose[0] != assistant.group_id:
            _require_room(session, whose[0])
            assistant.group_id = whose[0]
        for name, value in columns.items():
            setattr(assistant, name, value)
        if "files" in wanted:
            shared_files.put(session, actor.user, assistant_id, wanted["files"])

    return _changed(actor, assistant_id, work)


def attach(actor: Actor, assistant_id: str, content: IO[bytes], name: str) -> SharedAssistant:
    """Have it know one more document. Raises NotFound, and what reading and adding that do (`shared_files`)."""
    one(assistant_id)  # before it is read
    row = shared_files.read(content, name)
    return _changed(actor, assistant_id, lambda session, _: shared_files.add(session, assistant_id, row))


def detach(actor: Actor, assistant_id: str, file_id: str) -> SharedAssistant:
    """Have it know one less. Raises NotFound, and Invalid("file_gone")."""
    return _changed(actor, assistant_id, lambda session, _: shared_files.remove(session, assistant_id, file_id))


def delete(actor: Actor, assistant_id: str) -> None:
    """Its conversations go on without it. Raises NotFound."""

    def work(session: Session) -> None:
        assistant = _locked(session, assistant_id)
        told = _briefly(_told(session, assistant))
        session.delete(assistant)
        audit_service.record(session, actor.user, "assistant.delete", assistant_id, told, actor.address)

    in_transaction(work)


def _changed(actor: Actor, assistant_id: str, how: Callable[[Session, SharedAssistant], None]) -> SharedAssistant:
    """In a transaction, and told in the audit log where it is another then."""

    def work(session: Session) -> SharedAssistant:
        assistant = _locked(session, assistant_id)
        before = _told(session, assistant)
        how(session, assistant)
        if difference := audit_service.difference(before, _told(session, assistant)):
            assistant.updated_at = utc_now()
            details = {"name": assistant.name, **{when: _briefly(told) for when, told in difference.items()}}
            audit_service.record(session, actor.user, "assistant.change", assistant_id, details, actor.address)
        return assistant

    return in_transaction(work)


def _require_room(session: Session, group_id: str | None) -> None:
    """Those of the same moment are counted one by one; the group is not deleted meanwhile."""
    if session.get(Group, group_id or DEFAULT_GROUP_ID, with_for_update=True) is None:
        raise Invalid("unknown_group")
    there = select(func.count()).where(SharedAssistant.group_id.is_not_distinct_from(group_id))
    if (session.scalar(there) or 0) >= assistant_terms.MOST:
        raise Conflict("too_many_assistants", limit=assistant_terms.MOST)


def _locked(session: Session, assistant_id: str) -> SharedAssistant:
    return _found(session.get(SharedAssistant, assistant_id, with_for_update=True))


def _found(assistant: SharedAssistant | None) -> SharedAssistant:
    if assistant is None:
        raise NotFound("unknown_shared_assistant")
    return assistant


def _told(session: Session, assistant: SharedAssistant) -> dict[str, object]:
    group = session.get(Group, assistant.group_id) if assistant.group_id else None
    told = {name: getattr(assistant, name) for name in ("name", "icon", "instructions", "model", "thinking")}
    known = {each.id: each.name for each in shared_files.of_it(session.connection(), assistant.id)}
    return {**told, "group": group.name if group else None, "files": known}


def _briefly(told: dict[str, object]) -> dict[str, object]:
    """Of instructions their beginning and their length: a page of the audit log shows many."""
    words = told.get("instructions")
    return {**told, "instructions": words[:_TOLD], "length": len(words)} if isinstance(words, str) else told
