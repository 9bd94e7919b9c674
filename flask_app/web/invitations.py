"""Invitations as JSON."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from flask import g

from flask_app import i18n
from flask_app.errors import AppError
from flask_app.models import DEFAULT_GROUP_ID, Invitation
from flask_app.services.people import group_service, invitation_admin_service
from flask_app.services.people.invitation_admin_service import Letter, Listed, Made, Page, Terms
from flask_app.services.people.invitation_letters import Sending
from flask_app.services.people.inviting_many import MadeFor, Wanted
from flask_app.services.site import site_service
from flask_app.web import exports, own_address
from flask_app.web.bodies import Body, Reply
from flask_app.web.failures import sentence
from flask_app.web.groups import GroupName, group_name


class NewInvitation(Body, kw_only=True):
    """`most` people may use it within so many days. Its name is shown to whoever comes by it."""

    name: Annotated[str, msgspec.Meta(max_length=200)]
    group_id: Annotated[str, msgspec.Meta(max_length=64)] = DEFAULT_GROUP_ID
    most: Annotated[int, msgspec.Meta(ge=1, le=invitation_admin_service.MOST)] = 1
    days: Annotated[int, msgspec.Meta(ge=1, le=invitation_admin_service.MOST_DAYS)] = 7

    def terms(self) -> Terms:
        return Terms(name=self.name, group_id=self.group_id, most=self.most, days=self.days)


class LetterReply(Reply):
    """The letter to its person. "waiting" with an `error`, a sentence, is tried again; "dropped": the invitation ended
    before it went.
    """

    state: Literal["waiting", "sent", "failed", "dropped"]
    error: str | None


class InvitationReply(Reply):
    """`used` of `most` people came in by it. `state` is open, used_up, revoked, expired, or lapsed where whoever made
    it may not invite into the group any more. `group` is null once deleted.

    `by` is who made it; null on the command line, an id where the account is gone. `letter` is null where none was
    asked for.
    """

    id: str
    name: str
    group: GroupName | None
    most: int
    used: int
    state: str
    by: str | None
    created_at: datetime
    expires_at: datetime
    letter: LetterReply | None


class InvitationMade(Reply):
    """The link is `/join#TOKEN`; `/join` also takes the token typed by hand. It is told here and never again."""

    invitation: InvitationReply
    token: str


class InvitationsReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    invitations: list[InvitationReply]
    next: str | None


class InviteMany(Body, kw_only=True):
    """`people` is a list of `name,email,group`, a line each, with or without heads, also by semicolons or tabs.

    Who names no group there comes into `group_id`. `send`: whoever has an address is sent their link, where the site
    sends mail and is asked at an address of its own (else 422 `mail_not_set_up`, `letters_without_address`); 1,000 in
    24 hours (429 `too_many_letters`).
    """

    people: Annotated[str, msgspec.Meta(max_length=200_000)]
    group_id: Annotated[str, msgspec.Meta(max_length=64)] = DEFAULT_GROUP_ID
    days: Annotated[int, msgspec.Meta(ge=1, le=invitation_admin_service.MOST_DAYS)] = 7
    send: bool = False

    def wanted(self) -> Wanted:
        sending = Sending(own_address.for_letters(), language()) if self.send else None
        return Wanted(text=self.people, group_id=self.group_id, days=self.days, sending=sending)


class InvitationsMade(Reply):
    """In the list's order. `file` is a table (CSV) of them with their links, which are told here and never again.

    `letters` are on their way.
    """

    invitations: list[InvitationMade]
    file: str
    letters: int


class OpenInvitation(Reply):
    """What whoever has the link is told."""

    name: str
    expires_at: datetime


def invitation_reply(listed: Listed) -> InvitationReply:
    invitation = listed.invitation
    return InvitationReply(
        id=invitation.id,
        name=invitation.name,
        group=group_name(listed.group) if listed.group else None,
        most=invitation.most,
        used=invitation.used,
        state=listed.state,
        by=listed.by,
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
        letter=letter_reply(listed.letter) if listed.letter else None,
    )


def letter_reply(letter: Letter) -> LetterReply:
    return LetterReply(state=letter.state, error=sentence(AppError(letter.error)) if letter.error else None)  # type: ignore[arg-type]


def language() -> str:
    """In which letters are: the site's, or that of who invites."""
    return i18n.chosen(site_service.site().locale or g.locale)


def invitation_made(made: Made) -> InvitationMade:
    return InvitationMade(invitation=invitation_reply(made.listed), token=made.token)


def invitations_made(made: list[MadeFor], join_url: str) -> InvitationsMade:
    return InvitationsMade(
        invitations=[invitation_made(each.made) for each in made],
        file=table_of(made, join_url),
        letters=letters_of(made),
    )


def letters_of(made: list[MadeFor]) -> int:
    """How many are on their way."""
    return sum(each.made.listed.letter is not None for each in made)


def table_of(made: list[MadeFor], join_url: str, locale: str | None = None) -> str:
    """What is handed out, as CSV with a byte order mark; `join_url` is where a link's code stands behind."""
    rows = [_handed_out(each, join_url, locale or g.locale) for each in made]
    return "".join(exports.csv_pages(("name", "email", "group", "link", "code", "expires_at"), [rows]))


def _handed_out(each: MadeFor, join_url: str, locale: str) -> tuple[object, ...]:
    invitation, group = each.made.listed.invitation, each.made.listed.group
    named = group_service.shown_name(group, locale) if group else ""
    link = f"{join_url}#{each.made.token}"
    return (invitation.name, each.email, named, link, each.made.token, invitation.expires_at)


def invitations_reply(page: Page) -> InvitationsReply:
    return InvitationsReply(invitations=[invitation_reply(each) for each in page.invitations], next=page.next)


def open_invitation(invitation: Invitation) -> OpenInvitation:
    return OpenInvitation(name=invitation.name, expires_at=invitation.expires_at)
