"""A group as its managers see it, as JSON: its people, what each used, its invitations and budgets."""

from datetime import datetime
from typing import Annotated

import msgspec
from flask import g

from flask_app.models import Group
from flask_app.services.people import group_service, invitation_admin_service, managing_service
from flask_app.services.people.invitation_admin_service import Terms
from flask_app.services.people.managing_service import Page
from flask_app.web.bodies import Body, Reply
from flask_app.web.budgets import AdminBudgetsReply
from flask_app.web.groups import GroupName
from flask_app.web.invitations import InvitationsReply
from flask_app.web.usage import GroupReply

Username = Annotated[str, msgspec.Meta(max_length=200)]


class Managers(Body):
    """Usernames; who is not among them manages the group no more."""

    usernames: Annotated[list[Username], msgspec.Meta(max_length=managing_service.MOST_MANAGERS)]


class ManagersReply(Reply):
    """Usernames, in order."""

    managers: list[str]


class ChangeManagedPerson(Body):
    disabled: bool | None = None


class InviteIntoGroup(Body, kw_only=True):
    """`most` people may use it within so many days. Its name is shown to whoever comes by it."""

    name: Annotated[str, msgspec.Meta(max_length=200)]
    most: Annotated[int, msgspec.Meta(ge=1, le=invitation_admin_service.MOST)] = 1
    days: Annotated[int, msgspec.Meta(ge=1, le=invitation_admin_service.MOST_DAYS)] = 7

    def terms(self, group_id: str) -> Terms:
        return Terms(name=self.name, group_id=group_id, most=self.most, days=self.days)


class ManagedGroups(Reply):
    """The groups that one manages."""

    groups: list[GroupName]


class ManagedPerson(Reply):
    """`role` is owner, admin, manager or member: a manager disables and helps members alone. Times are UTC.

    `disabled_by_manager`: whoever is disabled otherwise is let in again by administrators alone.
    """

    id: str
    username: str
    role: str
    disabled: bool
    disabled_by_manager: bool
    online: bool
    last_sign_in_at: datetime | None
    last_seen_at: datetime | None


class ManagedPeople(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    users: list[ManagedPerson]
    next: str | None


class ManagedPersonReply(Reply):
    """`disabled`, as it is now."""

    id: str
    username: str
    disabled: bool


class ManagedState(Reply):
    """What the page starts with. `use` is of the days that are chosen. `supervised`: managers can read."""

    supervised: bool
    group: GroupName
    users: list[ManagedPerson]
    next: str | None
    use: list[GroupReply]
    invited: InvitationsReply
    budgets: AdminBudgetsReply


def managed_groups(groups: list[Group]) -> list[GroupName]:
    return [GroupName(id=each.id, name=group_service.shown_name(each, g.locale)) for each in groups]


def managed_people(page: Page) -> ManagedPeople:
    fields = ("id", "username", "disabled", "disabled_by_manager", "last_sign_in_at", "last_seen_at")
    users = [
        ManagedPerson(
            **{name: getattr(person.user, name) for name in fields},
            role=page.roles[person.user.id],
            online=person.online,
        )
        for person in page.people
    ]
    return ManagedPeople(users=users, next=page.next)
