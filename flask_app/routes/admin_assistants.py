"""Assistants for everybody or for a group: the administrators' API."""

from flask import Blueprint

from flask_app.services.assistants import shared_assistants
from flask_app.services.audit.audit_service import Actor
from flask_app.services.queries import paging
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.arguments import number, word
from flask_app.web.assistants import (
    MOST_BYTES,
    SharedAssistantBody,
    SharedAssistantChanges,
    SharedAssistantReply,
    SharedAssistantsReply,
    shared_assistant_reply,
    shared_assistants_reply,
)
from flask_app.web.bodies import accepts, queries, refuses, returns
from flask_app.web.client import client_address

blueprint = Blueprint("admin_assistants", __name__, url_prefix="/api/admin/assistants")

FULL = "There are 100 already for the same people."


@blueprint.get("")
@require_permission("assistants")
@returns(SharedAssistantsReply)
@queries(before="Where the last page ended (`next`).", limit="At most 100.")
def listed() -> SharedAssistantsReply:
    """The assistants that are kept for everybody or for a group, the newest first."""
    return shared_assistants_reply(shared_assistants.listed(word("before"), number("limit", paging.PAGE)))


@blueprint.post("")
@require_permission("assistants")
@require_proof
@accepts(SharedAssistantBody, most=MOST_BYTES)
@returns(SharedAssistantReply, 201)
@refuses(409, FULL)
def add(body: SharedAssistantBody) -> SharedAssistantReply:
    """Keep an assistant for everybody or for a group. They begin with it; its instructions they are not shown."""
    return shared_assistant_reply(shared_assistants.add(_actor(), body.group_id, body.wanted()))


@blueprint.get("/<shared_assistant_id>")
@require_permission("assistants")
@returns(SharedAssistantReply)
def one(shared_assistant_id: str) -> SharedAssistantReply:
    """An assistant for everybody or for a group, with its whole instructions."""
    return shared_assistant_reply(shared_assistants.one(shared_assistant_id))


@blueprint.patch("/<shared_assistant_id>")
@require_permission("assistants")
@require_proof
@accepts(SharedAssistantChanges, most=MOST_BYTES)
@returns(SharedAssistantReply)
@refuses(409, FULL)
def change(shared_assistant_id: str, body: SharedAssistantChanges) -> SharedAssistantReply:
    """Change a shared assistant, or have it for others: its conversations go on with it as it is then."""
    changed = shared_assistants.change(_actor(), shared_assistant_id, body.wanted(), whose=body.whose())
    return shared_assistant_reply(changed)


@blueprint.delete("/<shared_assistant_id>")
@require_permission("assistants")
@require_proof
@returns(None, 204)
def delete(shared_assistant_id: str) -> None:
    """Delete a shared assistant: conversations with it stay, and go on without it."""
    shared_assistants.delete(_actor(), shared_assistant_id)


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
