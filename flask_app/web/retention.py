"""For how long things are kept, as JSON."""

from typing import Annotated

import msgspec

from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from flask_app.web.bodies import Body, Reply

Days = int | None
GroupId = Annotated[str, msgspec.Meta(max_length=64)]


class RetentionBody(Body, kw_only=True):
    """Days since the last message of a conversation; null: for good. `groups` have rules of their own, by their ids;
    the others are as the site. `confirmed`: what is too old already may go.
    """

    days: Days
    groups: Annotated[dict[GroupId, Days], msgspec.Meta(max_length=1000)] = msgspec.field(default_factory=dict)
    audit_days: Days = None
    confirmed: bool = False

    def wanted(self) -> Kept:
        return Kept(days=self.days, groups=self.groups, audit_days=self.audit_days)


class RetentionReply(Reply):
    days: int | None
    groups: dict[str, int | None]
    audit_days: int | None


def retention_reply(kept: Kept | None = None) -> RetentionReply:
    shown = kept or retention_settings.kept()
    return RetentionReply(days=shown.days, groups=dict(shown.groups), audit_days=shown.audit_days)
