"""Groups as JSON. Names are as the reader sees them."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec
from flask import g
from msgspec import UNSET, UnsetType

from flask_app.domain import hours as clocks
from flask_app.domain.budget import TOKENS
from flask_app.domain.hours import WEEK, Hours
from flask_app.errors import Invalid
from flask_app.models import DEFAULT_GROUP_ID, Group
from flask_app.services.budgets import opening_service, top_up_service
from flask_app.services.budgets.opening_service import Opened, Opening
from flask_app.services.people import group_access, group_models, group_service, managing_service
from flask_app.services.people.group_access import Changes
from flask_app.services.people.group_models import Choice
from flask_app.services.people.group_service import Counted
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.retention import GroupKeptReply, kept_of_groups

Clock = Annotated[str, msgspec.Meta(max_length=5)]


class GroupName(Reply):
    id: str
    name: str


class HoursReply(Reply):
    """As `HoursBody`."""

    days: list[int]
    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")


class AccessReply(Reply):
    """As `AccessBody`; whether it is supervised is said by `supervised_since` of the group."""

    api: bool
    sharing: bool
    web_search: bool
    models: list[str] | None
    hours: HoursReply | None


class OpeningReply(Reply):
    """So many tokens, or millionths of the currency that `unit` names."""

    unit: str
    amount: int


class GroupReply(GroupName):
    """`is_default`: who is in no other group is in this one. `on_disconnect` is "continue", "limit" or "stop".

    `managers` are usernames; `access` is what its people may use, and when; `opening` the prepaid balance that each of
    them begins with, null where they begin with none. Each may keep `file_quota_mb` megabytes of files in messages;
    with 0 they attach none. `kept` is for how long, by the settings of the site and of the API log.
    """

    is_default: bool
    members: int
    managers: list[str]
    on_disconnect: str
    on_disconnect_tokens: int | None
    file_quota_mb: int
    access: AccessReply
    supervised_since: datetime | None
    opening: OpeningReply | None
    kept: GroupKeptReply
    created_at: datetime


class OpeningBody(Body):
    """`amount` is tokens, or millionths of the currency that `unit` names; null gives whoever comes none any more."""

    amount: Annotated[int, msgspec.Meta(ge=0, le=top_up_service.MAX_AMOUNT)] | None
    unit: Annotated[str, msgspec.Meta(max_length=8)] = TOKENS

    def wanted(self) -> Opening | None:
        return None if self.amount is None else Opening(self.unit, self.amount)


class OpenedReply(Reply):
    """`given`: to how many of the group's people, who had no balance of the unit."""

    opening: OpeningReply | None
    given: int


class HoursBody(Body):
    """One of the `days` of the week at least, 1 is Monday; from and to as "08:30", the last one is "24:00". By the
    site's clocks.
    """

    days: Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=WEEK)]], msgspec.Meta(max_length=WEEK)]
    start: Clock = msgspec.field(name="from")
    end: Clock = msgspec.field(name="to")

    def hours(self) -> Hours:
        try:
            start, end = clocks.minutes(self.start), clocks.minutes(self.end)
        except ValueError as error:
            raise Invalid("bad_group_hours") from error
        return Hours(frozenset(day - 1 for day in self.days), start, end)


class AccessBody(Body):
    """`api`: may the group's people make and use access tokens? `sharing`: may they share conversations by links,
    where the site allows it? `web_search`: may questions of theirs be looked up on the web, where the site allows it?
    `hours` null is always. `models` are the names of those that they may ask, at least
    one; null is all.

    What is named is set, all of it or nothing; the rest stays.
    """

    api: bool | None = None
    sharing: bool | None = None
    web_search: bool | None = None
    models: Annotated[list[Words], msgspec.Meta(max_length=group_models.MOST)] | UnsetType | None = UNSET
    hours: HoursBody | UnsetType | None = UNSET
    supervised: bool | None = None

    def changes(self) -> Changes:
        changes = Changes()
        if self.api is not None:
            changes["api"] = self.api
        if self.sharing is not None:
            changes["sharing"] = self.sharing
        if self.web_search is not None:
            changes["web_search"] = self.web_search
        if self.models is not UNSET:
            changes["models"] = Choice(None if self.models is None else tuple(self.models))
        if self.hours is not UNSET:
            changes["hours"] = self.hours.hours() if self.hours else None
        if self.supervised is not None:
            changes["supervised"] = self.supervised
        return changes


class GroupsReply(Reply):
    groups: list[GroupReply]


def group_name(group: Group) -> GroupName:
    return GroupName(id=group.id, name=group_service.shown_name(group, g.locale))


def group_names() -> list[GroupName]:
    """All groups, to choose from."""
    return [group_name(counted.group) for counted in group_service.listed()]


def group_reply(counted: Counted, managers: list[str] | None = None) -> GroupReply:
    return _reply(counted, managers, kept_of_groups())


def opened_reply(done: Opened) -> OpenedReply:
    return OpenedReply(opening=_opening(done.group), given=done.given)


def access_reply(group: Group) -> AccessReply:
    access = group_access.read(group.access)
    return AccessReply(
        api=access.api,
        sharing=group.sharing,
        web_search=group.web_search,
        models=group_models.names(group.models),
        hours=_hours_reply(access.hours) if access.hours else None,
    )


def _hours_reply(hours: Hours) -> HoursReply:
    days = [day + 1 for day in sorted(hours.days)]
    return HoursReply(days=days, start=clocks.clock(hours.start), end=clocks.clock(hours.end))


def groups_reply(listed: list[Counted]) -> GroupsReply:
    managers, kept = managing_service.names_of([counted.group.id for counted in listed]), kept_of_groups()
    return GroupsReply(groups=[_reply(counted, managers.get(counted.group.id), kept) for counted in listed])


def _reply(counted: Counted, managers: list[str] | None, kept: Callable[[str], GroupKeptReply]) -> GroupReply:
    group = counted.group
    return GroupReply(
        id=group.id,
        name=group_service.shown_name(group, g.locale),
        is_default=group.id == DEFAULT_GROUP_ID,
        members=counted.members,
        managers=managers or [],
        on_disconnect=group.on_disconnect,
        on_disconnect_tokens=group.on_disconnect_tokens,
        file_quota_mb=group.file_quota_mb,
        access=access_reply(group),
        supervised_since=group.supervised_since,
        opening=_opening(group),
        kept=kept(group.id),
        created_at=group.created_at,
    )


def _opening(group: Group) -> OpeningReply | None:
    opening = opening_service.of(group)
    return OpeningReply(unit=opening.unit, amount=opening.amount) if opening else None
