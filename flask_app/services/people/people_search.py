"""Which people an administrator looks for: by their names, addresses and groups, and by how their accounts stand."""

from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from flask_app.database import reading
from flask_app.errors import BadRequest, NotFound
from flask_app.models import Group, User
from flask_app.services.people import group_service, names
from flask_app.services.queries.likely import Likely

_MAX_ADDRESS = 254  # characters, as its column has

STATES: dict[str, ColumnElement[bool]] = {
    "waiting": User.last_sign_in_at.is_(None) & ~User.disabled,  # they have never signed in
    "disabled": User.disabled.is_(True),
    "admin": User.role == "admin",  # owners too
}


def conditions(search: str, group_id: str | None, state: str | None) -> list[ColumnElement[Any]] | None:
    """For a query over people; None where nobody can be found.

    `search` is part of a username, or the whole of an e-mail address or of a group's name: of an address nobody else
    learns what they do not know. Raises BadRequest("unknown_state").
    """
    if state is not None and state not in STATES:
        raise BadRequest("unknown_state", known=", ".join(STATES))
    found: list[ColumnElement[Any]] = [Likely(User.deleted_at.is_(None))]  # what is left of others is being removed
    if group_id is not None:
        found.append(User.group_id == group_id)
    if state is not None:
        found.append(STATES[state])
    if wanted := names.key(search):
        if len(wanted) > _MAX_ADDRESS:
            return None
        ways: list[ColumnElement[bool]] = [func.lower(User.email) == wanted]
        if len(wanted) <= names.MAX_KEY_LENGTH:
            called = select(Group.id).where(Group.name_key.in_(group_service.keys_of(search)))
            ways += [User.username_key.contains(wanted, autoescape=True), User.group_id.in_(called)]
        found.append(or_(*ways))
    return found


def one(user_id: str) -> User:
    """Raises NotFound, also for whom is being removed."""
    with reading() as session:
        found = session.get(User, user_id)
    if found is None or found.deleted_at is not None:
        raise NotFound
    return found
