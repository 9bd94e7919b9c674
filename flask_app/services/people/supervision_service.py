"""Disclosed supervision: in a supervised group its managers can read what its members write, and everybody knows.

Nothing can be read that was written before its author confirmed the notice, in this group and since it is supervised;
without that they ask nothing (`require_seen`). Each look is in the audit log, and its person sees it. Temporary chats,
and what programs ask, are kept nowhere and cannot be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, transaction, utc_now
from flask_app.errors import Conflict, NotFound
from flask_app.models import Conversation, Group, Message, User
from flask_app.services.audit import audit_search, audit_service
from flask_app.services.audit.audit_search import Entry
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import conversation_lists
from flask_app.services.files import message_files
from flask_app.services.files.file_service import Facts
from flask_app.services.people import managing_service

LOOK, LINK = "supervision.look", "user.reset_link"
LISTED = 100  # conversations of a page
MOST_LOOKS = 50


@dataclass(frozen=True, slots=True)
class Readable:
    """A conversation with something to read. `title` is None where it began before: it is of those words."""

    id: str
    title: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    conversations: list[Readable]
    next: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """A message as it can be read; of its files `text` has the names, before the words. What they say is not shown."""

    role: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody else did, and when: "list" and "conversation" are looks, "link" is one for a new password."""

    by: str
    at: datetime
    what: str
    conversation_id: str | None


def switch(actor: Actor, group_id: str, *, on: bool) -> datetime | None:
    """Supervise a group from now on, or no more, which ends all reading at once; since when. Raises NotFound."""

    def work(session: Session) -> datetime | None:
        group = session.get(Group, group_id, with_for_update=True)
        if group is None:
            raise NotFound
        set_switch(session, actor, group, on=on)
        return group.supervised_since

    return in_transaction(work)


def set_switch(session: Session, actor: Actor, group: Group, *, on: bool) -> None:
    """The same for a group that the caller's transaction holds."""
    if on != (group.supervised_since is not None):
        change = audit_service.difference({"supervised": not on}, {"supervised": on})
        group.supervised_since = utc_now() if on else None
        details = {"name": group.name, **change}
        audit_service.record(session, actor.user, "group.supervise", group.id, details, actor.address)


def is_unseen(user: User, since: datetime | None) -> bool:
    """Has this person yet to confirm the notice of their group, which is supervised `since` then?"""
    return since is not None and (user.supervision_seen_at is None or user.supervision_seen_at < since)


def require_seen(user: User, since: datetime | None) -> None:
    """Before anything is asked that others could read. Raises Conflict("supervision_unseen")."""
    if is_unseen(user, since):
        raise Conflict("supervision_unseen")


def see(actor: User) -> None:
    """They have read the notice: what they write from now on can be read, while their group is supervised.

    Where it is not, there is nothing to confirm. Once is enough: a second time takes nothing from what can be read.
    """
    own = select(Group.id, Group.supervised_since).join(User, User.group_id == Group.id).where(User.id == actor.id)
    with transaction() as session:
        group_id, since = session.execute(own).one()
        if since is not None:
            seen_at = max(utc_now(), since)  # the clock of who switched it on may be ahead of ours
            unseen = or_(User.supervision_seen_at.is_(None), User.supervision_seen_at < since)
            still = (User.id == actor.id, User.group_id == group_id, unseen)
            session.execute(update(User).where(*still).values(supervision_seen_at=seen_at))


def conversations(actor: Actor, group_id: str, user_id: str, *, before: str | None = None) -> Page:
    """What a manager can read of a member, the newest first: each page is a look.

    Raises NotFound, Forbidden("role_not_lower"), BadRequest("bad_cursor").
    """

    def work(session: Session) -> Page:
        person, group, since = _readable(session, actor, group_id, user_id)
        _note(session, actor, group, person, None)
        written = exists().where(Message.conversation_id == Conversation.id, Message.created_at >= since)
        query = select(Conversation).where(Conversation.user_id == person.id, written)
        if before is not None:
            query = query.where(*conversation_lists.after(before))
        newest_first = (Conversation.updated_at.desc(), Conversation.id.desc())
        found = session.scalars(query.order_by(*newest_first).limit(LISTED + 1)).all()
        shown = [
            Readable(each.id, each.title if each.created_at >= since else None, each.updated_at)
            for each in found[:LISTED]
        ]
        return Page(shown, conversation_lists.cursor(found[LISTED - 1]) if len(found) > LISTED else None)

    return in_transaction(work)


def messages(actor: Actor, group_id: str, user_id: str, conversation_id: str) -> Sequence[Written]:
    """What can be read of one, the oldest first: a look. Raises as `conversations` does."""

    def work(session: Session) -> Sequence[Written]:
        person, group, since = _readable(session, actor, group_id, user_id)
        its_own = exists().where(Conversation.id == Message.conversation_id, Conversation.user_id == person.id)
        query = select(Message).where(Message.conversation_id == conversation_id, Message.created_at >= since, its_own)
        found = session.scalars(query.order_by(Message.created_at, Message.id)).all()
        if not found:
            raise NotFound
        _note(session, actor, group, person, conversation_id)
        attached = message_files.of_conversation(session.connection(), conversation_id)
        return [
            Written(each.role, _with_names(attached.get(each.id, ()), each.text), each.created_at) for each in found
        ]

    return in_transaction(work)


def _with_names(attached: Sequence[Facts], text: str) -> str:
    return "\n\n".join(part for part in (message_files.named(attached), text) if part)


def looks(actor: User) -> list[Look]:
    """The newest looks at one's own conversations, and links for one's password, by which one could sign in too."""
    # Each kind by itself: many looks leave no link out.
    found = [each for kind in (LOOK, LINK) for each in audit_search.done_to(actor.id, kind, MOST_LOOKS)]
    return [_look(each) for each in sorted(found, key=lambda each: each.entry.id, reverse=True)]


def _look(found: Entry) -> Look:
    act, conversation = found.entry, found.details.get("conversation")
    seen = "conversation" if conversation else "list"
    return Look(act.actor_name, act.created_at, "link" if act.action == LINK else seen, conversation)


def _readable(session: Session, actor: Actor, group_id: str, user_id: str) -> tuple[User, Group, datetime]:
    """The person, the group, and since when what they wrote can be read."""
    person = managing_service.below(session, actor, group_id, user_id)
    group, seen = session.get_one(Group, group_id), person.supervision_seen_at
    if group.supervised_since is None or seen is None or seen < group.supervised_since:
        raise NotFound
    return person, group, seen


def _note(session: Session, actor: Actor, group: Group, person: User, conversation_id: str | None) -> None:
    details = {"username": person.username, "group": group.name, "conversation": conversation_id}
    audit_service.record(session, actor.user, LOOK, person.id, details, actor.address)
