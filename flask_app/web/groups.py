"""Groups as JSON. Names are as the reader sees them."""

from datetime import datetime

from flask import g

from flask_app.models import DEFAULT_GROUP_ID, Group
from flask_app.services.people import group_service, managing_service
from flask_app.services.people.group_service import Counted
from flask_app.web.bodies import Reply


class GroupName(Reply):
    id: str
    name: str


class GroupReply(GroupName):
    """`is_default`: who is in no other group is in this one. `on_disconnect` is "continue", "limit" or "stop".

    `managers` are usernames.
    """

    is_default: bool
    members: int
    managers: list[str]
    on_disconnect: str
    on_disconnect_tokens: int | None
    created_at: datetime


class GroupsReply(Reply):
    groups: list[GroupReply]


def group_name(group: Group) -> GroupName:
    return GroupName(id=group.id, name=group_service.shown_name(group, g.locale))


def group_names() -> list[GroupName]:
    """All groups, to choose from."""
    return [group_name(counted.group) for counted in group_service.listed()]


def group_reply(counted: Counted, managers: list[str] | None = None) -> GroupReply:
    group = counted.group
    return GroupReply(
        id=group.id,
        name=group_service.shown_name(group, g.locale),
        is_default=group.id == DEFAULT_GROUP_ID,
        members=counted.members,
        managers=managers or [],
        on_disconnect=group.on_disconnect,
        on_disconnect_tokens=group.on_disconnect_tokens,
        created_at=group.created_at,
    )


def groups_reply() -> GroupsReply:
    listed = group_service.listed()
    managers = managing_service.names_of([counted.group.id for counted in listed])
    return GroupsReply(groups=[group_reply(counted, managers.get(counted.group.id)) for counted in listed])
