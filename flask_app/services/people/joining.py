"""The one door into a group: by whichever way somebody comes, here they get what its people begin with."""

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import table_of
from flask_app.errors import Conflict
from flask_app.models import Group, GroupManager, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import opening_service, turns
from flask_app.services.people import password_links

_users = table_of(User)


def put(session: Session, actor: Actor, user: User, group: Group) -> None:
    """A new person into a group that `group_service.chosen` holds, or one whose row is locked into another.

    Managers of the group that somebody leaves may have kept a link for a new password of theirs: it opens nothing.
    Raises Conflict("username_taken") for a new one whose name is somebody's.
    """
    if user.group_id and session.scalar(select(exists().where(GroupManager.group_id == user.group_id))):
        password_links.revoke(session, user.id)
    user.group_id, user.supervision_seen_at = group.id, None  # another group's notice is another notice
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("username_taken") from error
    opening_service.give_to(session, actor, user, group)


def put_all(session: Session, actor: Actor, left: Group, joined: Group) -> dict[str, int]:
    """Everybody of a group that nobody can join any more; how many moved, and how many began with a balance there."""
    everybody = _users.c.group_id == left.id
    password_links.revoke_of(session, left.id)
    turns.take_of(session, everybody)
    given = opening_service.give(session, actor, joined, everybody)
    to_it = {"group_id": joined.id, "supervision_seen_at": None}
    moved = session.connection().execute(update(_users).where(everybody).values(to_it)).rowcount
    return {"moved": moved, **({"given": given} if given else {})}
