"""Groups of people: the administrators' API."""

from typing import Annotated, Literal

import msgspec
from flask import Blueprint

from flask_app.domain import files
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import opening_service
from flask_app.services.people import group_access, group_deletion, group_service, managing_service, supervision_service
from flask_app.services.people.group_service import Choices
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import Body, Words, accepts, queries, refuses, returns
from flask_app.web.client import client_address
from flask_app.web.groups import (
    AccessBody,
    AccessReply,
    GroupReply,
    GroupsReply,
    OpenedReply,
    OpeningBody,
    access_reply,
    group_reply,
    groups_reply,
    opened_reply,
)
from flask_app.web.managed import Managers, ManagersReply
from flask_app.web.supervision import Supervise, SupervisedReply

blueprint = Blueprint("admin_groups", __name__, url_prefix="/api/admin/groups")

Policy = Literal["continue", "limit", "stop"]
Megabytes = Annotated[int, msgspec.Meta(ge=0, le=files.MOST_QUOTA_MB)]
Tokens = Annotated[int, msgspec.Meta(ge=1, le=group_service.MAX_TOKENS)]


class AddGroup(Body):
    """`on_disconnect` is what becomes of an answer whose reader left: it goes on, it goes on for
    `on_disconnect_tokens` more, or it stops. Each of its people may keep `file_quota_mb` megabytes of files in
    messages; with 0 they attach none."""

    name: Words
    on_disconnect: Policy = "continue"
    on_disconnect_tokens: Tokens | None = None
    file_quota_mb: Megabytes | None = None


class ChangeGroup(Body):
    """What is not named stays."""

    name: Words | None = None
    on_disconnect: Policy | None = None
    on_disconnect_tokens: Tokens | None = None
    file_quota_mb: Megabytes | None = None


@blueprint.get("")
@require_permission("groups")
@returns(GroupsReply)
def listed() -> GroupsReply:
    """Every group with the number of its people, the default one first."""
    return groups_reply(group_service.listed())


@blueprint.post("")
@require_permission("groups")
@accepts(AddGroup)
@returns(GroupReply, 201)
def add(body: AddGroup) -> GroupReply:
    """Add a group."""
    return group_reply(group_service.add(_actor(), _choices(body)))


@blueprint.patch("/<group_id>")
@require_permission("groups")
@accepts(ChangeGroup)
@returns(GroupReply)
def change(group_id: str, body: ChangeGroup) -> GroupReply:
    """Rename a group, or set what becomes of answers whose reader left, and how many files its people may keep."""
    changed = group_service.change(_actor(), group_id, _choices(body))
    return group_reply(changed, managing_service.names_of([group_id]).get(group_id))


@blueprint.put("/<group_id>/managers")
@require_permission("managers.name")
@require_proof
@accepts(Managers)
@returns(ManagersReply)
def appoint(group_id: str, body: Managers) -> ManagersReply:
    """Say who manages a group: these people and nobody else. They need not be in it."""
    return ManagersReply(managers=managing_service.appoint(_actor(), group_id, body.usernames))


@blueprint.put("/<group_id>/access")
@require_permission("groups")
@require_proof
@accepts(AccessBody)
@returns(AccessReply)
def put_access(group_id: str, body: AccessBody) -> AccessReply:
    """Say whether a group's people may use access tokens, share and search the web, what they may ask, and when.

    It holds from the next request on: links of theirs open no more where they may not share, until they may again.
    """
    return access_reply(group_access.put(_actor(), group_id, **body.changes()))


@blueprint.put("/<group_id>/supervision")
@require_permission("groups")
@require_proof
@accepts(Supervise)
@returns(SupervisedReply)
def supervise(group_id: str, body: Supervise) -> SupervisedReply:
    """Let a group's managers read what its people write from now on, once these have been told; or no more."""
    since = supervision_service.switch(_actor(), group_id, on=body.supervised)
    return SupervisedReply(supervised_since=since)


@blueprint.put("/<group_id>/opening-balance")
@require_permission("budgets")
@require_proof
@accepts(OpeningBody)
@returns(OpenedReply)
def put_opening(group_id: str, body: OpeningBody) -> OpenedReply:
    """Say what prepaid balance each person of a group begins with.

    If it gave none of this unit until now, its people who have none get one at once. Another amount of the same unit is
    for those who come later, and nobody loses what they have where it is taken away.
    """
    return opened_reply(opening_service.put(_actor(), group_id, body.wanted()))


@blueprint.delete("/<group_id>")
@require_permission("groups")
@require_proof
@queries(confirmed="`true`: what of its people's is too old in the default group may go.")
@returns(None, 204)
@refuses(409, "`default_group`; `retention_removes`: so much is too old there; the same again with `confirmed=true`.")
def delete(group_id: str) -> None:
    """Delete a group: its people move to the default group, which cannot be deleted itself, and have its access.

    Its budgets, prompts and assistants go with it, and invitations into it end. What is kept for less there goes within
    minutes.
    """
    group_deletion.delete(_actor(), group_id, is_confirmed=arguments.word("confirmed") == "true")


def _choices(body: AddGroup | ChangeGroup) -> Choices:
    return Choices(
        name=body.name,
        on_disconnect=body.on_disconnect,
        tokens=body.on_disconnect_tokens,
        file_quota_mb=body.file_quota_mb,
    )


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
