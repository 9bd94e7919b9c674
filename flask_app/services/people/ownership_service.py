"""Who owns the site: owners name and remove administrators, and there is always one.

The owners' rows are locked together, so that of two who end each other's ownership in one moment one stays.
"""

from collections.abc import Mapping

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction
from flask_app.errors import Conflict, NotFound
from flask_app.models import User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import standing, user_admin_service
from flask_app.services.people.user_admin_service import Person


def give(actor: Actor, user_id: str, *, keep: bool) -> Person:
    """Make somebody an owner; unless they `keep` it as well the actor is an administrator from now on.

    Whose role changes is signed out. Raises NotFound, Conflict("account_is_disabled"), Conflict("owner_already"), and
    Forbidden where the actor is no owner, or not any more.
    """

    def work(session: Session) -> Person:
        people, heir = _locked(session, actor, user_id)
        if heir.disabled:
            raise Conflict("account_is_disabled")
        if standing.role_of(heir) == "owner":
            raise Conflict("owner_already")
        heir.role, heir.is_owner = "admin", True
        user_admin_service.let_go(session, heir)
        if actor.user and not keep:
            people[actor.user.id].is_owner = False
            user_admin_service.let_go(session, people[actor.user.id])
        _note(session, actor, "ownership.give", heir, kept=keep or actor.user is None)
        return user_admin_service.person_of(session, heir)

    return in_transaction(work)


def end(actor: Actor, user_id: str, *, role: str = "admin") -> Person:
    """An owner is an administrator from now on, or a member, and signed out.

    Raises NotFound, Conflict("owner_not"), Conflict("last_owner"), and Forbidden as `give` does.
    """

    def work(session: Session) -> Person:
        people, owner = _locked(session, actor, user_id)
        if standing.role_of(owner) != "owner":
            raise Conflict("owner_not")
        active = {user.id for user in people.values() if standing.role_of(user) == "owner" and not user.disabled}
        if active <= {owner.id}:
            raise Conflict("last_owner")
        owner.is_owner = False
        user_admin_service.let_go(session, owner)
        _note(session, actor, "ownership.end", owner)
        if role != owner.role:
            return user_admin_service.amend(session, actor, owner, {"role": role})
        return user_admin_service.person_of(session, owner)

    return in_transaction(work)


def _locked(session: Session, actor: Actor, user_id: str) -> tuple[Mapping[str, User], User]:
    """All owners and the person, who is also given alone."""
    ids = session.scalars(select(User.id).where(or_(User.is_owner, User.id == user_id))).all()
    people = standing.locked(session, *ids, *([actor.user.id] if actor.user else []))
    standing.require(session, actor, "ownership")
    if user_id not in people:
        raise NotFound
    return people, people[user_id]


def _note(session: Session, actor: Actor, action: str, user: User, **details: object) -> None:
    audit_service.record(session, actor.user, action, user.id, {"username": user.username, **details}, actor.address)
