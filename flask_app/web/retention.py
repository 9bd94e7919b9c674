"""For how long things are kept, as JSON."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from flask_app.services.gateway import request_retention
from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from flask_app.web.bodies import Body, Reply

Days = int | None
GroupId = Annotated[str, msgspec.Meta(max_length=64)]
GroupDays = Annotated[dict[GroupId, Days], msgspec.Meta(max_length=1000)]


class RetentionBody(Body, kw_only=True):
    """Days since the last message of a conversation; null: for good. `groups` have rules of their own, by their ids;
    the others are as the site. `file_days` and `file_groups`: the same for what is in files, since a file was last
    attached; left out, they stay as they are. `confirmed`: what is too old already may go.
    """

    days: Days
    groups: GroupDays = msgspec.field(default_factory=dict)
    file_days: Days | UnsetType = UNSET
    file_groups: GroupDays | UnsetType = UNSET
    audit_days: Days = None
    confirmed: bool = False

    def wanted(self, before: Kept) -> Kept:
        named = {each.name: getattr(self, each.name) for each in fields(Kept)}
        return replace(before, **{name: value for name, value in named.items() if value is not UNSET})


class RetentionReply(Reply):
    days: int | None
    groups: dict[str, int | None]
    file_days: int | None
    file_groups: dict[str, int | None]
    audit_days: int | None


class GroupKeptReply(Reply):
    """For how many days the conversations of a group's people are kept, what is in their files, and what their
    programs asked. Null is for good, and of files too: until their conversations go.
    """

    days: int | None
    file_days: int | None
    request_days: int


def retention_reply(kept: Kept | None = None) -> RetentionReply:
    shown = kept or retention_settings.kept()
    return RetentionReply(
        days=shown.days,
        groups=dict(shown.groups),
        file_days=shown.file_days,
        file_groups=dict(shown.file_groups),
        audit_days=shown.audit_days,
    )


def kept_of_groups() -> Callable[[str], GroupKeptReply]:
    """What holds for a group by its id: its own, or else the site's."""
    kept, log = retention_settings.kept(), request_retention.kept()
    return lambda group_id: GroupKeptReply(kept.of(group_id), kept.of_files(group_id), log.of(group_id))
