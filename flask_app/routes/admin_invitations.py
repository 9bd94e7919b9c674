"""Invitations: the administrators' API."""

from flask import Blueprint, request

from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import invitation_admin_service, inviting_many
from flask_app.services.queries import paging
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import MAX_BODY_BYTES, accepts, queries, refuses, returns
from flask_app.web.client import client_address
from flask_app.web.invitations import (
    InvitationMade,
    InvitationReply,
    InvitationsMade,
    InvitationsReply,
    InviteMany,
    NewInvitation,
    invitation_made,
    invitation_reply,
    invitations_made,
    invitations_reply,
)

blueprint = Blueprint("admin_invitations", __name__, url_prefix="/api/admin/invitations")


@blueprint.get("")
@require_permission("people.invite")
@returns(InvitationsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def listed() -> InvitationsReply:
    """Every invitation, the newest first, without its code."""
    limit = arguments.number("limit", paging.PAGE)
    return invitations_reply(invitation_admin_service.listed(before=arguments.word("before"), limit=limit))


@blueprint.post("")
@require_permission("people.invite")
@require_proof
@accepts(NewInvitation)
@returns(InvitationMade, 201)
def make(body: NewInvitation) -> InvitationMade:
    """Make a link, and a code to be typed, by which people make accounts of their own. Both are shown this once."""
    return invitation_made(invitation_admin_service.make(_actor(), body.terms()))


@blueprint.post("/many")
@require_permission("people.invite")
@require_proof
@accepts(InviteMany, most=MAX_BODY_BYTES)
@returns(InvitationsMade, 201)
@refuses(422, "Among others `invitation_list_refused`: `mistakes` of `params` says what is wrong in which line.")
def make_many(body: InviteMany) -> InvitationsMade:
    """Invite everybody on a list, 500 at most, each by an invitation of their own; where it has a mistake, nobody."""
    made = inviting_many.make(_actor(), body.wanted())
    return invitations_made(made, f"{request.url_root}join")


@blueprint.delete("/<invitation_id>")
@require_permission("people.invite")
@returns(InvitationReply)
def revoke(invitation_id: str) -> InvitationReply:
    """Let nobody come in by an invitation any more. Who did stays."""
    return invitation_reply(invitation_admin_service.revoke(_actor(), invitation_id))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
