"""A group with a manager, somebody in it, and an invitation; two such groups."""

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
from tests.conftest import MakeUser, SignIn

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


class Class:
    """Two groups, each with a manager and a pupil; the manager of the first one is signed in."""

    def __init__(self, make_user: MakeUser, sign_in: SignIn) -> None:
        self.teacher = make_user("teacher")
        make_user("other teacher")
        self.group, self.other = group("Class 3b", "teacher"), group("Class 4a", "other teacher")
        self.pupil, self.stranger = (
            make_user("pupil", group_id=self.group),
            make_user("stranger", group_id=self.other),
        )
        self.client = sign_in(self.teacher)

    def url(self, path: str = "", group: str | None = None) -> str:
        return f"/api/managed/{group or self.group}{path}"


def supervised(group_id: str) -> User:
    """Somebody in the group, which is supervised, who has confirmed the notice."""
    supervision_service.switch(HOUSE, group_id, on=True)
    supervision_service.see(person := member(group_id))
    return person
