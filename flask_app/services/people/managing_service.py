"""Managers of groups: who they are, and what they do for the people of their group.

What a manager may is in `domain/policy.py`. A group that somebody does not manage is to them as one that is not there,
and so is a person who is in another group, or whose account is deleted, though what is left of it is being removed.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading
from flask_app.domain import policy
from flask_app.errors import Forbidden, Invalid, NotFound
from flask_app.models import DEFAULT_GROUP_ID, Group, GroupManager, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import names, password_links, standing, user_admin_service
from flask_app.services.people.password_links import Link
from flask_app.services.people.user_admin_service import Person
from flask_app.services.runs import stop_service

MOST_MANAGERS = 20  # of one group


@dataclass(frozen=True, slots=True)
class Page:
    """People of a group; `roles` by id, of which "manager" is one."""

    people: list[Person]
    roles: dict[str, str]
    next: str | None


def appoint(actor: Actor, group_id: str, usernames: Sequence[str]) -> list[str]:
    """Make these people the managers of a group, and nobody else; their names as they are written.

    Raises NotFound, Invalid("too_many_managers"), Invalid("unknown_person"), Forbidden.
    """
    wanted = list(dict.fromkeys(names.key(username) for username in usernames if username.strip()))
    if len(wanted) > MOST_MANAGERS:
        raise Invalid("too_many_managers", limit=MOST_MANAGERS)

    def work(session: Session) -> list[str]:
        group = session.get(Group, group_id, with_for_update=True)
        if group is None:
            raise NotFound
        standing.require(session, actor, "managers.name")
        people = [_person_called(session, key) for key in wanted]
        before = _names(session, [group_id]).get(group_id, [])
        rows = {row.user_id: row for row in session.scalars(select(GroupManager).filter_by(group_id=group_id))}
        _name(session, group_id, rows, people)
        after = sorted(person.username for person in people)
        if before != after:
            details = {"name": group.name, "before": {"managers": before}, "after": {"managers": after}}
            audit_service.record(session, actor.user, "group.managers", group_id, details, actor.address)
        return after

    return in_transaction(work)


def _name(session: Session, group_id: str, rows: Mapping[str, GroupManager], people: Sequence[User]) -> None:
    """Links for a new password that were made while somebody was a member, or a manager, open nothing after it."""
    ended = rows.keys() - {person.id for person in people}
    for user_id in ended:
        session.delete(rows[user_id])
    if ended:
        password_links.revoke_of(session, group_id)
    for person in people:
        if person.id not in rows:
            session.add(GroupManager(group_id=group_id, user_id=person.id))
            password_links.revoke(session, person.id)


def names_of(group_ids: Collection[str]) -> dict[str, list[str]]:
    """The names of each group's managers, in order; groups without any are not in it."""
    with reading() as session:
        return _names(session, group_ids)


def managed(actor: User) -> list[Group]:
    """The groups that somebody manages, the default one first, then by name."""
    query = select(Group).join(GroupManager, GroupManager.group_id == Group.id)
    order = (Group.id != DEFAULT_GROUP_ID, Group.name_key)
    with reading() as session:
        return list(session.scalars(query.where(GroupManager.user_id == actor.id).order_by(*order)))


def group(actor: User, group_id: str) -> Group:
    """A group that they manage; raises NotFound."""
    with reading() as session:
        return _managed(session, actor.id, group_id)


def people(group_id: str, *, before: str | None = None, limit: int) -> Page:
    """The newest first; raises BadRequest for a bad limit or cursor."""
    page = user_admin_service.listed(group_id=group_id, before=before, limit=limit)
    users = [person.user for person in page.people]
    with reading() as session:
        managing = _managing(session, [user.id for user in users])
    return Page(page.people, {user.id: _role(user, manages=user.id in managing) for user in users}, page.next)


def member(group_id: str, user_id: str) -> User:
    """Somebody who is in the group; raises NotFound."""
    with reading() as session:
        person = session.get(User, user_id)
    return _in(group_id, person)


def set_disabled(actor: Actor, group_id: str, user_id: str, *, disabled: bool | None) -> Person:
    """Lock a member of the group out, or let them in again whom a manager locked out; None leaves it.

    Raises as `link` does, and Forbidden("disabled_by_administrator").
    """

    def work(session: Session) -> Person:
        user = below(session, actor, group_id, user_id)
        if disabled in {None, user.disabled}:
            return user_admin_service.person_of(session, user)
        if user.disabled and not user.disabled_by_manager:
            raise Forbidden("disabled_by_administrator")
        changed = {"disabled": disabled, "disabled_by_manager": disabled}
        return user_admin_service.amend(session, actor, user, changed)

    person = in_transaction(work)
    if person.user.disabled:
        stop_service.stop_person(user_id)
    return person


def link(actor: Actor, group_id: str, user_id: str) -> Link:
    """A link by which a member of the group chooses a new password. Raises NotFound, Forbidden("role_not_lower")."""

    def work(session: Session) -> Link:
        return user_admin_service.link_for(session, actor, below(session, actor, group_id, user_id))

    return in_transaction(work)


def below(session: Session, actor: Actor, group_id: str, user_id: str) -> User:
    """The person, locked together with the manager, whose right is looked at anew."""
    if actor.user is None:
        raise Forbidden
    found = standing.locked(session, user_id, actor.user.id)
    _managed(session, actor.user.id, group_id)
    person = _in(group_id, found.get(user_id))
    if not policy.is_above("manager", _role(person, manages=user_id in _managing(session, [user_id]))):
        raise Forbidden("role_not_lower")
    return person


def _in(group_id: str, person: User | None) -> User:
    if person is None or person.group_id != group_id or person.deleted_at is not None:
        raise NotFound
    return person


def _managed(session: Session, user_id: str, group_id: str) -> Group:
    manages = exists().where(GroupManager.group_id == Group.id, GroupManager.user_id == user_id)
    active = exists().where(User.id == user_id, ~User.disabled)
    found = session.scalar(select(Group).where(Group.id == group_id, manages, active))
    if found is None:
        raise NotFound
    return found


def _managing(session: Session, user_ids: Collection[str]) -> set[str]:
    """Those of them who manage any group."""
    return set(session.scalars(select(GroupManager.user_id).where(GroupManager.user_id.in_(user_ids))))


def _role(user: User, *, manages: bool) -> str:
    role = standing.role_of(user)
    return "manager" if manages and role == "member" else role


def _names(session: Session, group_ids: Collection[str]) -> dict[str, list[str]]:
    query = select(GroupManager.group_id, User.username).join(User, User.id == GroupManager.user_id)
    found: defaultdict[str, list[str]] = defaultdict(list)
    there = (GroupManager.group_id.in_(group_ids), User.deleted_at.is_(None))
    for group_id, username in session.execute(query.where(*there)):
        found[group_id].append(username)
    return {group_id: sorted(each) for group_id, each in found.items()}


def _person_called(session: Session, key: str) -> User:
    person = session.scalar(select(User).where(User.username_key == key, User.deleted_at.is_(None)))
    if person is None:
        raise Invalid("unknown_person", name=key)
    return person
