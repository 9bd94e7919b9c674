"""People: the administrators' API."""

from typing import Annotated, Literal

import msgspec
from flask import Blueprint, g

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import account_deletion, ownership_service, user_admin_service
from flask_app.services.queries import paging
from flask_app.services.sign_in import auth_service
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.arguments import number, people_filter, word
from flask_app.web.bodies import Body, Words, accepts, queries, refuses, returns
from flask_app.web.client import client_address
from flask_app.web.people import AddedReply, LinkReply, PersonReply, UsersReply, added_reply, person_reply, users_reply

blueprint = Blueprint("admin_users", __name__, url_prefix="/api/admin/users")

Role = Literal["admin", "member"]
GroupId = Annotated[str, msgspec.Meta(max_length=64)]


class AddUser(Body):
    """Without `password` the reply holds the token of a link by which the person chooses one."""

    username: Annotated[str, msgspec.Meta(max_length=200)]
    role: Role = "member"
    group_id: GroupId = DEFAULT_GROUP_ID
    password: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class GiveOwnership(Body):
    """`password` is one's own, again; with `keep` the site has one more owner afterwards, and no other."""

    password: Words
    keep: bool = False


class EndOwnership(Body):
    """One's own, again."""

    password: Words


class ChangeUser(Body):
    """`confirmed`: what of theirs is too old in the other group may go."""

    role: Role | None = None
    disabled: bool | None = None
    group_id: GroupId | None = None
    confirmed: bool = False


@blueprint.get("")
@require_permission("people.see")
@queries(
    q="Part of the username, or the whole e-mail address, or the whole name of a group.",
    group="The id of a group.",
    state="`waiting` (has never signed in), `disabled` or `admin`.",
    before="The cursor `next` of the page before.",
    limit="How many (50; at most 100).",
)
@returns(UsersReply)
def listed() -> UsersReply:
    """People, the newest first."""
    limit = number("limit", paging.PAGE)
    return users_reply(user_admin_service.listed(**people_filter(), before=word("before"), limit=limit))


@blueprint.post("")
@require_permission("people.add")
@require_proof
@accepts(AddUser)
@returns(AddedReply, 201)
def add(body: AddUser) -> AddedReply:
    """Add a person. The link's token is not shown again."""
    added = user_admin_service.add(_actor(), body.username, body.role, body.password, group_id=body.group_id)
    return added_reply(added)


@blueprint.patch("/<user_id>")
@require_permission("people.change")
@require_proof
@accepts(ChangeUser)
@returns(PersonReply)
@refuses(409, "`is_owner`; `retention_removes`: so much is too old in the other group; again with `confirmed`.")
def change(user_id: str, body: ChangeUser) -> PersonReply:
    """Change a person's role, disable or enable them: they are signed out. Or move them to another group.

    Only people of a lower role, but for oneself; who is an administrator is an owner's word. What the other group keeps
    for less goes within minutes.
    """
    changed = user_admin_service.change(
        _actor(),
        user_id,
        role=body.role,
        disabled=body.disabled,
        group_id=body.group_id,
        is_confirmed=body.confirmed,
    )
    return person_reply(changed)


@blueprint.delete("/<user_id>")
@require_permission("people.delete")
@require_proof
@returns(None, 204)
@refuses(403, "`own_account`: one's own is deleted with the password, by `POST /api/me/delete`.")
@refuses(409, "`last_owner`: somebody else is to own the site first.")
def delete(user_id: str) -> None:
    """Delete a person's account with all that they have: people of a lower role, or as an owner anybody else.

    Sessions, tokens, shared links and answers end at once; the rest is removed within minutes. The ledger keeps counts.
    """
    account_deletion.begin_for(_actor(), user_id)


@blueprint.post("/<user_id>/reset-link")
@require_permission("people.link")
@require_proof
@returns(LinkReply)
def reset_link(user_id: str) -> LinkReply:
    """The token of a single-use link to choose a new password; it is not shown again."""
    link = user_admin_service.reset_link(_actor(), user_id)
    return LinkReply(token=link.token, expires_at=link.expires_at)


@blueprint.delete("/<user_id>/second-step")
@require_permission("people.help")
@require_proof
@returns(PersonReply)
def turn_off_second_step(user_id: str) -> PersonReply:
    """Turn off the two-step sign-in of a person who has lost their authenticator app: they are signed out everywhere.

    Not one's own: `POST /api/me/second-step/turn-off` asks for the password and a code.
    """
    return person_reply(user_admin_service.turn_off_second_step(_actor(), user_id))


@blueprint.post("/<user_id>/ownership")
@require_permission("ownership")
@accepts(GiveOwnership)
@returns(PersonReply)
@refuses(403, "`wrong_password`")
def give_ownership(user_id: str, body: GiveOwnership) -> PersonReply:
    """Hand the site over to somebody, or share it with them. Whose role changes is signed out, oneself too."""
    auth_service.check_password(get_current_user(), g.session_id, body.password)
    return person_reply(ownership_service.give(_actor(), user_id, keep=body.keep))


@blueprint.post("/<user_id>/ownership/end")
@require_permission("ownership")
@accepts(EndOwnership)
@returns(PersonReply)
@refuses(403, "`wrong_password`")
def end_ownership(user_id: str, body: EndOwnership) -> PersonReply:
    """Make an owner an administrator, oneself or another; the last owner stays one."""
    auth_service.check_password(get_current_user(), g.session_id, body.password)
    return person_reply(ownership_service.end(_actor(), user_id))


@blueprint.delete("/<user_id>/passkeys")
@require_permission("people.help")
@require_proof
@returns(PersonReply)
def remove_passkeys(user_id: str) -> PersonReply:
    """Remove all passkeys of a person whose device is lost or stolen: they are signed out everywhere.

    Not one's own: `POST /api/me/passkeys/{passkey_id}/remove` asks for the password.
    """
    return person_reply(user_admin_service.remove_passkeys(_actor(), user_id))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
