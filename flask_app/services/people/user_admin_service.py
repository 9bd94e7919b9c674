"""People as administrators keep them: list, add, change, help with a forgotten password."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading
from flask_app.errors import Conflict, Forbidden, Invalid, NotFound
from flask_app.models import DEFAULT_GROUP_ID, Group, Setting, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import (
    group_service,
    joining,
    names,
    password_links,
    passwords,
    people_search,
    setup_service,
    standing,
)
from flask_app.services.people.password_links import Link
from flask_app.services.queries import join_order, paging
from flask_app.services.runs import stop_service
from flask_app.services.sign_in import auth_service, passkey_service, presence, second_step
from flask_app.services.site import retention_moves

ROLES = ("admin", "member")


@dataclass(frozen=True, slots=True)
class Person:
    """`second_step`: is a code asked for beside the password? `passkeys`: how many there are."""

    user: User
    group: Group
    online: bool
    second_step: bool
    passkeys: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    people: list[Person]
    next: str | None


@dataclass(frozen=True, slots=True)
class Added:
    """`link` is there for the new person when no password was given."""

    user: User
    group: Group
    link: Link | None


def listed(
    *,
    search: str = "",
    group_id: str | None = None,
    state: str | None = None,
    before: str | None = None,
    limit: int = paging.PAGE,
) -> Page:
    """The newest first. `people_search` says what is looked for. Raises BadRequest, for a bad limit or cursor too."""
    paging.checked_limit(limit)
    signs_in_by = (second_step.ON.label("second_step"), passkey_service.COUNT.label("passkeys"))
    wanted = people_search.conditions(search, group_id, state)
    if wanted is None:
        return Page([], None)
    query = select(User, Group, *signs_in_by).join(Group, Group.id == User.group_id).where(*wanted)
    query = join_order.as_named(query)  # people by their ids, until there are enough
    if before is not None:
        query = query.where(User.id < paging.checked_id(before))
    with reading() as session:
        found = session.execute(query.order_by(User.id.desc()).limit(limit + 1)).all()
        shown = found[:limit]
        online = presence.among(session, [user.id for user, *_ in shown])
    people = [Person(user, group, user.id in online, *ways) for user, group, *ways in shown]
    return Page(people, people[-1].user.id if len(found) > limit else None)


def everybody(*, search: str = "", group_id: str | None = None, state: str | None = None) -> Iterator[Person]:
    """Who is looked for as by `listed`, the newest first, page by page."""
    before: str | None = None
    while True:
        page = listed(search=search, group_id=group_id, state=state, before=before, limit=paging.MAX_PAGE)
        yield from page.people
        if page.next is None:
            return
        before = page.next


def add(
    actor: Actor, username: str, role: str, password: str | None = None, *, group_id: str = DEFAULT_GROUP_ID
) -> Added:
    """A new person, with a password or else a link to choose one. The first administrator owns the site.

    Raises Invalid, Conflict("username_taken"), and Forbidden for an administrator that no owner makes.
    """
    shown = names.checked(username)
    if role not in ROLES:
        raise Invalid("unknown_role", known=", ".join(ROLES))
    if password is not None:
        passwords.check_strength(password, shown)
    stored = passwords.make_hash(password) if password is not None else None

    def work(session: Session) -> Added:
        user = User(username=shown, username_key=names.key(shown), role=role, password_hash=stored)
        group = group_service.chosen(session, group_id)
        standing.require(session, actor, "admins.name" if role == "admin" else "people.add")
        _close_setup(session, user)
        return Added(user, group, _insert(session, actor, user, group))

    try:
        return in_transaction(work)
    except IntegrityError as error:
        raise Conflict("username_taken") from error


def change(
    actor: Actor,
    user_id: str,
    *,
    role: str | None = None,
    disabled: bool | None = None,
    group_id: str | None = None,
    is_confirmed: bool = False,
) -> Person:
    """Give a role, disable or enable, move to another group. What is None, or so already, stays.

    Another role, disabling and enabling end the person's sessions. An administrator may step down; only an owner names
    and removes others.

    Raises NotFound, Invalid, Conflict("is_owner") for a role, and disabling, that end with ownership alone, Forbidden
    where the actor may not, or not any more, Conflict("retention_removes") with what is too old in the other group,
    unless that `is_confirmed`.
    """
    if role is not None and role not in ROLES:
        raise Invalid("unknown_role", known=", ".join(ROLES))
    wanted = {"role": role, "disabled": disabled, "group_id": group_id}
    if disabled is not None:  # an administrator's word takes the place of a manager's
        wanted["disabled_by_manager"] = False
    person = in_transaction(lambda session: _change(session, actor, user_id, wanted, is_confirmed=is_confirmed))
    if person.user.disabled:
        stop_service.stop_person(user_id)
    return person


def reset_link(actor: Actor, user_id: str) -> Link:
    """A link by which the person chooses a new password; raises NotFound, Forbidden for a role that is not lower."""

    def work(session: Session) -> Link:
        return link_for(session, actor, standing.acted_on(session, actor, user_id, "people.link"))

    return in_transaction(work)


def link_for(session: Session, actor: Actor, user: User) -> Link:
    """Such a link, within the transaction of the caller, who knows that the actor may make it."""
    audit_service.record(session, actor.user, "user.reset_link", user.id, {"username": user.username}, actor.address)
    return password_links.issue(session, user.id)


def turn_off_second_step(actor: Actor, user_id: str) -> Person:
    """For somebody who has lost their authenticator app. Their sessions end: what is lost may be signed in.

    Raises NotFound, Conflict("second_step_off"), Forbidden for a role that is not lower, and
    Forbidden("own_second_step") for one's own, which takes a code.
    """
    if actor.user and actor.user.id == user_id:
        raise Forbidden("own_second_step")

    def work(session: Session) -> Person:
        user = standing.acted_on(session, actor, user_id, "people.help")
        second_step.lock(session, user.id)
        if not second_step.forget(session, user.id):
            raise Conflict("second_step_off")
        auth_service.end_sessions(session, user.id)
        details = {"username": user.username}
        audit_service.record(session, actor.user, "user.turn_off_second_step", user.id, details, actor.address)
        return person_of(session, user)

    return in_transaction(work)


def person_of(session: Session, user: User) -> Person:
    """As administrators see them, within the caller's transaction."""
    return _person(session, user, session.get_one(Group, user.group_id))


def remove_passkeys(actor: Actor, user_id: str) -> Person:
    """For somebody whose device is lost or stolen. Their sessions end: what is lost may be signed in.

    Raises NotFound, Conflict("no_passkeys"), Forbidden for a role that is not lower, and Forbidden("own_passkeys") for
    one's own, which takes the password.
    """
    if actor.user and actor.user.id == user_id:
        raise Forbidden("own_passkeys")

    def work(session: Session) -> Person:
        user = standing.acted_on(session, actor, user_id, "people.help")
        second_step.lock(session, user.id)
        removed = passkey_service.forget(session, user.id)
        if not removed:
            raise Conflict("no_passkeys")
        auth_service.end_sessions(session, user.id)
        details = {"username": user.username, "passkeys": removed}
        audit_service.record(session, actor.user, "user.remove_passkeys", user.id, details, actor.address)
        return person_of(session, user)

    return in_transaction(work)


def by_name(username: str) -> User:
    """Raises NotFound("unknown_person")."""
    with reading() as session:
        user = session.scalar(select(User).where(User.username_key == names.key(username)))
    if user is None:
        raise NotFound("unknown_person", name=username)
    return user


def _insert(session: Session, actor: Actor, user: User, group: Group) -> Link | None:
    joining.put(session, actor, user, group)
    details = {"username": user.username, "role": user.role, "group": group.name}
    audit_service.record(session, actor.user, "user.add", user.id, details, actor.address)
    return None if user.password_hash else password_links.issue(session, user.id)


def _close_setup(session: Session, user: User) -> None:
    """An administrator made on the command line ends the first run as well, and owns the site where nobody does."""
    if user.role != "admin":
        return
    user.is_owner = not session.scalar(select(exists().where(User.is_owner, User.role == "admin")))
    if session.get(Setting, setup_service.MARK) is None:
        setup_service.close(session)


def _change(
    session: Session, actor: Actor, user_id: str, wanted: Mapping[str, object], *, is_confirmed: bool
) -> Person:
    chosen = wanted["group_id"]
    joined = None if chosen is None else group_service.chosen(session, str(chosen))
    user = standing.acted_on(session, actor, user_id, "people.change")
    changed = {name: value for name, value in wanted.items() if value not in {None, getattr(user, name)}}
    _check(session, actor, user, changed)
    if joined and "group_id" in changed and not is_confirmed:  # to nobody who may not
        retention_moves.check_person(user_id, joined.id)
    return amend(session, actor, user, changed, joined)


def amend(
    session: Session, actor: Actor, user: User, changed: Mapping[str, object], joined: Group | None = None
) -> Person:
    """Change a person within the transaction of the caller, who knows that the actor may."""
    group = session.get_one(Group, user.group_id)
    before = _traits(user, group)
    group = joined or group
    for name, value in changed.items():
        if name != "group_id":
            setattr(user, name, value)
    if "role" in changed:
        user.is_owner = False
    if "group_id" in changed:
        joining.put(session, actor, user, group)
    if changed.keys() - {"group_id"}:
        let_go(session, user)
    if difference := audit_service.difference(before, _traits(user, group)):
        details = {"username": user.username, **difference}
        audit_service.record(session, actor.user, "user.change", user.id, details, actor.address)
    return _person(session, user, group)


def _check(session: Session, actor: Actor, user: User, changed: Mapping[str, object]) -> None:
    if standing.role_of(user) == "owner" and changed.keys() & {"role", "disabled"}:
        raise Conflict("is_owner")
    steps_down = actor.user and actor.user.id == user.id and changed.get("role") == "member"
    if "role" in changed and not steps_down:
        standing.require(session, actor, "admins.name")


def let_go(session: Session, user: User) -> None:
    """What was opened, and what was given out, with other rights ends."""
    auth_service.end_sessions(session, user.id)
    password_links.revoke(session, user.id)


def _person(session: Session, user: User, group: Group) -> Person:
    online = user.id in presence.among(session, [user.id])
    ways = second_step.is_on(session, user.id), passkey_service.count(session, user.id)
    return Person(user, group, online, *ways)


def _traits(user: User, group: Group) -> dict[str, object]:
    kept = {"role": user.role, "disabled": user.disabled, "disabled_by_manager": user.disabled_by_manager}
    return {**kept, "group": group.name}
