"""Whoever changes what requests go by takes the turns of all whom it concerns: requests under way are committed before,
and none begins until the change is.

On a server that takes locks, always in this order: groups, people, budgets; of each kind by id. Whoever adds a person
or moves one shares the rows of the default group and of the group that is joined (`group_service.chosen`): nobody joins
meanwhile either. SQLite knows one writer.
"""

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from flask_app.errors import NotFound
from flask_app.models import DEFAULT_GROUP_ID, Group, User


def take_all(session: Session) -> None:
    """Of everybody on the site."""
    _close(session, DEFAULT_GROUP_ID)
    take_of(session, true())


def take_of_group(session: Session, group_id: str) -> None:
    """Of everybody who is in the group. Raises NotFound("unknown_group")."""
    _close(session, group_id)
    take_of(session, User.group_id == group_id)


def take_of(session: Session, concerned: ColumnElement[bool]) -> bool:
    """Of these people. Are there any?"""
    return bool(session.scalars(select(User.id).where(concerned).order_by(User.id).with_for_update()).all())


def _close(session: Session, group_id: str) -> None:
    """Nobody joins the group until the transaction ends."""
    if session.get(Group, group_id, with_for_update=True) is None:
        raise NotFound("unknown_group")
