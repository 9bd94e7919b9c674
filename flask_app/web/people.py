"""A person as the API shows them: exactly these fields."""

from datetime import datetime

import msgspec

from flask_app.models import User
from flask_app.services.people import addresses, standing
from flask_app.services.people.account_service import DEFAULT_THEME
from flask_app.services.people.user_admin_service import Added, Page, Person
from flask_app.web.bodies import Reply
from flask_app.web.groups import GroupName, group_name


class UserReply(Reply):
    """`role` is "admin" or "member"; `owner`: an administrator who owns the site.

    Times are UTC; `online` means seen within five minutes in a session that is still open.
    """

    id: str
    username: str
    role: str
    owner: bool
    locale: str | None
    theme: str
    timezone: str | None
    disabled: bool
    online: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    last_seen_at: datetime | None


class OwnUserReply(UserReply):
    """A person as they see themselves: warnings go to `email`, unless `warn_by_email` is off.

    `email_confirmed`: has a mail proven that it is theirs? Then a link for a new password can be sent there.
    """

    email: str | None
    email_confirmed: bool
    warn_by_email: bool


class Session(Reply):
    user: OwnUserReply
    csrf_token: str


class MemberReply(UserReply):
    """A person as administrators see them.

    `second_step`: is a code asked for beside the password? `passkeys`: how many they sign in by.
    """

    group: GroupName
    second_step: bool
    passkeys: int


class OwnReply(Reply):
    user: OwnUserReply


class PersonReply(Reply):
    user: MemberReply


class UsersReply(Reply):
    """`next` is the cursor of the page after; null at the end."""

    users: list[MemberReply]
    next: str | None


class AddedReply(Reply):
    """`reset_token` and `expires_at` are there when no password was given: the link is `/reset#TOKEN`."""

    user: MemberReply
    reset_token: str | msgspec.UnsetType = msgspec.UNSET
    expires_at: datetime | msgspec.UnsetType = msgspec.UNSET


class LinkReply(Reply):
    """The link is `/reset#TOKEN`."""

    token: str
    expires_at: datetime


def user_reply(user: User, *, online: bool) -> UserReply:
    return UserReply(
        id=user.id,
        username=user.username,
        role=user.role,
        owner=standing.role_of(user) == "owner",
        locale=user.locale,
        theme=user.theme or DEFAULT_THEME,
        timezone=user.timezone,
        disabled=user.disabled,
        online=online,
        created_at=user.created_at,
        last_sign_in_at=user.last_sign_in_at,
        last_seen_at=user.last_seen_at,
    )


def own_user_reply(user: User) -> OwnUserReply:
    shown = msgspec.structs.asdict(user_reply(user, online=True))
    confirmed = addresses.is_confirmed(user)
    return OwnUserReply(**shown, email=user.email, email_confirmed=confirmed, warn_by_email=user.warn_by_email)


def member_reply(person: Person) -> MemberReply:
    own = msgspec.structs.asdict(user_reply(person.user, online=person.online))
    group = group_name(person.group)
    return MemberReply(**own, group=group, second_step=person.second_step, passkeys=person.passkeys)


def person_reply(person: Person) -> PersonReply:
    return PersonReply(user=member_reply(person))


def users_reply(page: Page) -> UsersReply:
    return UsersReply(users=[member_reply(person) for person in page.people], next=page.next)


def added_reply(added: Added) -> AddedReply:
    return AddedReply(
        user=member_reply(Person(added.user, added.group, online=False, second_step=False)),
        reset_token=added.link.token if added.link else msgspec.UNSET,
        expires_at=added.link.expires_at if added.link else msgspec.UNSET,
    )
