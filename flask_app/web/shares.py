"""Links by which people share conversations, as JSON; and what their page shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from flask import g

from flask_app import config
from flask_app.models import User
from flask_app.services.sharing import share_admin_service, share_service, sharing_policy
from flask_app.services.sharing.share_admin_service import Listed, Page
from flask_app.services.sharing.share_service import Own, Wanted
from flask_app.services.sharing.shared_reading import Shared
from flask_app.services.sharing.snapshot import Said
from flask_app.services.warnings import wording
from flask_app.web.bodies import Body, Reply
from flask_app.web.context import t
from flask_app.web.records import Person


class NewShare(Body):
    """`message_id` is the last message of the branch that is shared; null is the newest of all. `days` is 1, 7 or 30;
    null: until it is ended. Thoughts and one's name are seen where that is wanted.
    """

    message_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    days: Literal[1, 7, 30] | None = 30
    thoughts: bool = False
    named: bool = False

    def wanted(self) -> Wanted:
        return Wanted(leaf_id=self.message_id, days=self.days, thoughts=self.thoughts, named=self.named)


class ShareFacts(Reply):
    """`opened`: how often it was read by others. `expires_at` null: until it is ended. `audience`: who may open it,
    "people" who are signed in or "anybody" who has it; never more than when it was made.
    """

    id: str
    conversation_id: str
    title: str
    named: bool
    thoughts: bool
    opened: int
    audience: str
    created_at: datetime
    expires_at: datetime | None


class ShareReply(ShareFacts):
    """`path` is the link's, on this site; null where it cannot be told again."""

    path: str | None


class SharesReply(Reply):
    shares: list[ShareReply]


class AnybodysShareReply(Reply):
    """As `ShareFacts`, without what it shows."""

    id: str
    user: Person
    opened: int
    audience: str
    created_at: datetime
    expires_at: datetime | None


class AnybodysSharesReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    shares: list[AnybodysShareReply]
    next: str | None


class SharingBody(Body):
    """Who may open links: "off" nobody, "people" whoever is signed in, "anybody" whoever has one."""

    mode: Annotated[str, msgspec.Meta(max_length=16)]


class SharingReply(Reply):
    """As `SharingBody`."""

    mode: str


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """`name` is the model that answered, if that is known; `note` what became of an answer that is not whole."""

    said: Said
    name: str | None
    note: str | None


def share_reply(own: Own) -> ShareReply:
    return ShareReply(**_facts(own), path=f"/s/{own.token}" if own.token else None)


def shares_reply(actor: User, conversation_id: str | None = None) -> SharesReply:
    return SharesReply(shares=[share_reply(each) for each in share_service.own(actor, conversation_id)])


def share_facts(actor: User) -> list[ShareFacts]:
    """One's own without their links."""
    return [ShareFacts(**_facts(each)) for each in share_service.own(actor)]


def anybodys_shares_reply(page: Page | None = None) -> AnybodysSharesReply:
    shown = page or share_admin_service.listed()
    return AnybodysSharesReply(shares=[_anybodys(each) for each in shown.shares], next=shown.next)


def sharing_reply() -> SharingReply:
    return SharingReply(mode=sharing_policy.mode())


def shown_messages(shared: Shared) -> list[ShownMessage]:
    return [_shown(each) for each in shared.said]


def moment(at: datetime | None) -> str | None:
    """In the reader's words, by the reader's clock where it is known."""
    zone = g.user.timezone if "user" in g else None
    return wording.moment(at, zone, g.locale) if at else None


def named_zone() -> str | None:
    """That `moment` names; None where it is the reader's own choice."""
    return None if "user" in g and g.user.timezone else config.current().site_timezone


def sharing() -> str:
    """Who opens the links of whoever asks, one of `sharing_policy.MODES`: "off" also where they may make none."""
    return sharing_policy.mode() if g.group_may_share else sharing_policy.OFF


def may_share() -> bool:
    """May whoever asks share conversations now?"""
    return sharing() != sharing_policy.OFF


def _facts(own: Own) -> dict[str, Any]:
    names = ("id", "conversation_id", "title", "thoughts", "opened", "audience", "created_at", "expires_at")
    return {"named": own.shown_name is not None, **{name: getattr(own, name) for name in names}}


def _anybodys(listed: Listed) -> AnybodysShareReply:
    return AnybodysShareReply(
        id=listed.id,
        user=Person(id=listed.user_id, username=listed.username),
        opened=listed.opened,
        audience=listed.audience,
        created_at=listed.created_at,
        expires_at=listed.expires_at,
    )


def _shown(said: Said) -> ShownMessage:
    return ShownMessage(said, said.model, None if said.status == "complete" else t(f"portability.{said.status}"))
