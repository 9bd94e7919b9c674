"""What somebody is on this site, and whether they may do something to somebody: `domain/policy.py` has the table."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.domain import policy
from flask_app.errors import Forbidden, NotFound
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor


def role_of(user: User) -> str:
    """ "owner", "admin" or "member". The version before knows no owners: whom it demotes owns nothing any more."""
    return "owner" if user.is_owner and user.role == "admin" else user.role


def acted_on(session: Session, actor: Actor, user_id: str, permission: str) -> User:
    """The person, locked together with the actor, by their ids: the order of `turns`.

    The command line may do everything. Raises NotFound, Forbidden where the actor lacks the permission by now, and
    Forbidden("role_not_lower") for somebody else who is not below them.
    """
    people = locked(session, user_id, *([actor.user.id] if actor.user else []))
    require(session, actor, permission)
    person = people.get(user_id)
    if person is None or person.deleted_at is not None:
        raise NotFound
    is_other = actor.user and actor.user.id != user_id
    if is_other and not policy.is_above(now(session, actor), role_of(person)):
        raise Forbidden("role_not_lower")
    return person


def locked(session: Session, *user_ids: str) -> dict[str, User]:
    """These people as they are now, by id; they stay so until the transaction ends."""
    query = select(User).where(User.id.in_(user_ids)).order_by(User.id).with_for_update()
    return {user.id: user for user in session.scalars(query.execution_options(populate_existing=True))}


def require(session: Session, actor: Actor, permission: str) -> None:
    """Raises Forbidden where the actor's role does not have it, or not any more."""
    if not policy.may(now(session, actor), permission):
        raise Forbidden


def now(session: Session, actor: Actor) -> str:
    """The actor's role as this transaction sees it; the command line's is an owner's. Raises Forbidden for the gone."""
    if actor.user is None:
        return "owner"
    user = session.get(User, actor.user.id)
    if user is None or user.disabled:
        raise Forbidden
    return role_of(user)
