"""A group with a manager, somebody in it, and an invitation."""

from flask_app.database import new_id
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import (
    group_service,
    invitation_admin_service,
    managing_service,
    supervision_service,
    user_admin_service,
)
from flask_app.services.people.group_service import Choices
from flask_app.services.people.invitation_admin_service import Terms

HOUSE = Actor(None)


def group(name: str, *managers: str) -> str:
    """The id of a new group that these people manage."""
    made = group_service.add(HOUSE, Choices(name=name)).group.id
    managing_service.appoint(HOUSE, made, managers)
    return made


def member(group_id: str, name: str = "") -> User:
    return user_admin_service.add(HOUSE, name or new_id(), "member", group_id=group_id).user


def invitation(group_id: str) -> str:
    terms = Terms(name="an invitation", group_id=group_id)
    return invitation_admin_service.make(HOUSE, terms).listed.invitation.id


def supervised(group_id: str) -> User:
    """Somebody in the group, which is supervised, who has confirmed the notice."""
    supervision_service.switch(HOUSE, group_id, on=True)
    supervision_service.see(person := member(group_id))
    return person
