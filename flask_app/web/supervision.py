"""Supervision as JSON and as a notice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from flask import g

from flask_app.services.people import managing_service, supervision_service
from flask_app.services.people.supervision_service import Page, Written
from flask_app.services.warnings import wording
from flask_app.utils import get_current_user
from flask_app.web.bodies import Body, Reply


class Supervise(Body):
    supervised: bool


class SupervisedReply(Reply):
    """Null: the group is not supervised."""

    supervised_since: datetime | None


class LookAt(Body):
    """Without `conversation_id`: the list of those that can be read, from where the page `before` ended (`next`)."""

    conversation_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    before: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class ReadableReply(Reply):
    """`title` is null where the conversation began before it could be read."""

    id: str
    title: str | None
    updated_at: datetime


class ReadMessage(Reply):
    """`role` is "user" or "assistant"."""

    role: str
    text: str
    created_at: datetime


class LookReply(Reply):
    """Either a page of the conversations, the newest first, or the messages of one."""

    conversations: list[ReadableReply]
    next: str | None
    messages: list[ReadMessage]


class OwnLook(Reply):
    """`what` was looked at: "list" or "conversation", whose id is told; "link": one for a new password was made."""

    by: str
    at: datetime
    what: str
    conversation_id: str | None


class OwnLooks(Reply):
    """The newest first, fifty looks and fifty links at most."""

    looks: list[OwnLook]


class Shown(Reply):
    """A look as the account page tells it."""

    by: str
    when: str
    what: str
    conversation_id: str | None


def listed(found: Page) -> LookReply:
    rows = [ReadableReply(id=each.id, title=each.title, updated_at=each.updated_at) for each in found.conversations]
    return LookReply(conversations=rows, next=found.next, messages=[])


def read(found: Sequence[Written]) -> LookReply:
    rows = [ReadMessage(role=each.role, text=each.text, created_at=each.created_at) for each in found]
    return LookReply(conversations=[], next=None, messages=rows)


def own_looks() -> OwnLooks:
    found = supervision_service.looks(get_current_user())
    rows = [OwnLook(by=each.by, at=each.at, what=each.what, conversation_id=each.conversation_id) for each in found]
    return OwnLooks(looks=rows)


def shown_looks() -> list[Shown]:
    zone = get_current_user().timezone
    return [
        Shown(
            by=each.by,
            when=wording.moment(each.at, zone, g.locale),
            what=each.what,
            conversation_id=each.conversation_id,
        )
        for each in supervision_service.looks(get_current_user())
    ]


def is_supervised() -> bool:
    return g.get("supervised_since") is not None


def is_unseen() -> bool:
    return supervision_service.is_unseen(get_current_user(), g.get("supervised_since"))


def require_seen() -> None:
    """Before a message is kept that others could read."""
    supervision_service.require_seen(get_current_user(), g.get("supervised_since"))


def managers() -> list[str]:
    """The names of those who can read."""
    group_id = get_current_user().group_id
    return managing_service.names_of([group_id]).get(group_id, [])
