"""Disclosed supervision: in a supervised group its managers can read what its members write, and everybody knows.

Nothing can be read that was written before its author confirmed the notice, in this group and since it is supervised;
without that they ask nothing (`require_seen`). Each look is in the audit log, and its person sees it. Temporary chats,
and what programs ask, are kept nowhere and cannot be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, transaction, utc_now
from flask_app.errors import Conflict, NotFound
from flask_app.models import AuditEntry, Conversation, Group, Message, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import managing_service

LOOK = "supervision.look"
MOST_LISTED = 100  # conversations, the newest
MOST_LOOKS = 50


@dataclass(frozen=True, slots=True)
class Readable:
    """A conversation with something to read. `title` is None where it began before: it is of those words."""

    id: str
    title: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """Who looked, and when: at `conversation_id`, or None at the list of them."""

    by: str
    at: datetime
    conversation_id: str | None


def switch(actor: Actor, group_id: str, *, on: bool) -> datetime | None:
    """Supervise a group from now on, or no more, which ends all reading at once; since when. Raises NotFound."""

    def work(session: Session) -> datetime | None:
        group = session.get(Group, group_id, with_for_update=True)
        if group is None:
            raise NotFound
        if on != (group.supervised_since is not None):
            change = audit_service.difference({"supervised": not on}, {"supervised": on})
            group.supervised_since = utc_now() if on else None
            details = {"name": group.name, **change}
            audit_service.record(session, actor.user, "group.supervise", group.id, details, actor.address)
        return group.supervised_since

    return in_transaction(work)


def is_unseen(user: User, since: datetime | None) -> bool:
    """Has this person yet to confirm the notice of their group, which is supervised `since` then?"""
    return since is not None and (user.supervision_seen_at is None or user.supervision_seen_at < since)


def require_seen(user: User, since: datetime | None) -> None:
    """Before anything is asked that others could read. Raises Conflict("supervision_unseen")."""
    if is_unseen(user, since):
        raise Conflict("supervision_unseen")


def see(actor: User) -> None:
    """They have read the notice: what they write from now on can be read, while their group is supervised."""
    with transaction() as session:
        session.execute(update(User).where(User.id == actor.id).values(supervision_seen_at=utc_now()))


def conversations(actor: Actor, group_id: str, user_id: str) -> Sequence[Readable]:
    """The newest that a manager can read of a member: a look. Raises NotFound, Forbidden("role_not_lower")."""

    def work(session: Session) -> list[Readable]:
        person, since = _readable(session, actor, group_id, user_id)
        _note(session, actor, group_id, person, None)
        written = exists().where(Message.conversation_id == Conversation.id, Message.created_at >= since)
        query = select(Conversation).where(Conversation.user_id == person.id, written)
        found = session.scalars(query.order_by(Conversation.updated_at.desc(), Conversation.id.desc()))
        return [
            Readable(each.id, each.title if each.created_at >= since else None, each.updated_at)
            for each in found.fetchmany(MOST_LISTED)
        ]

    return in_transaction(work)


def messages(actor: Actor, group_id: str, user_id: str, conversation_id: str) -> Sequence[Message]:
    """What can be read of one, the oldest first: a look. Raises as `conversations` does."""

    def work(session: Session) -> Sequence[Message]:
        person, since = _readable(session, actor, group_id, user_id)
        its_own = exists().where(Conversation.id == Message.conversation_id, Conversation.user_id == person.id)
        query = select(Message).where(Message.conversation_id == conversation_id, Message.created_at >= since, its_own)
        found = session.scalars(query.order_by(Message.created_at, Message.id)).all()
        if not found:
            raise NotFound
        _note(session, actor, group_id, person, conversation_id)
        return found

    return in_transaction(work)


def looks(actor: User) -> list[Look]:
    """The newest looks at one's own conversations."""
    mine = select(AuditEntry).where(AuditEntry.target == actor.id, AuditEntry.action == LOOK)
    with reading() as session:
        entries = session.scalars(mine.order_by(AuditEntry.id.desc()).limit(MOST_LOOKS)).all()
    return [
        Look(each.actor_name, each.created_at, msgspec.json.decode(each.details).get("conversation"))
        for each in entries
    ]


def _readable(session: Session, actor: Actor, group_id: str, user_id: str) -> tuple[User, datetime]:
    """The person, and since when what they wrote can be read."""
    person = managing_service.below(session, actor, group_id, user_id)
    since = session.scalar(select(Group.supervised_since).where(Group.id == group_id))
    seen = person.supervision_seen_at
    if since is None or seen is None or seen < since:
        raise NotFound
    return person, seen


def _note(session: Session, actor: Actor, group_id: str, person: User, conversation_id: str | None) -> None:
    details = {"username": person.username, "group_id": group_id, "conversation": conversation_id}
    audit_service.record(session, actor.user, LOOK, person.id, details, actor.address)
