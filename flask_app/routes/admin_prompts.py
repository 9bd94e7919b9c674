"""Prompts for everybody or for a group: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.prompts import shared_prompts
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import accepts, queries, refuses, returns
from flask_app.web.client import client_address
from flask_app.web.prompts import (
    MOST_BYTES,
    SharedPromptBody,
    SharedPromptReply,
    SharedPromptsReply,
    asked,
    shared_prompt_reply,
    shared_prompts_reply,
)

blueprint = Blueprint("admin_prompts", __name__, url_prefix="/api/admin/prompts")

TAKEN = "There is one with this command for the same people, or there are 500 already."


@blueprint.get("")
@require_permission("prompts")
@returns(SharedPromptsReply)
@queries(
    q="What stands in the command or the title.", before="Where the last page ended (`next`).", limit="At most 100."
)
def listed() -> SharedPromptsReply:
    """The prompts that are kept for everybody or for a group, the newest first."""
    return shared_prompts_reply(shared_prompts.listed(asked()))


@blueprint.post("")
@require_permission("prompts")
@require_proof
@accepts(SharedPromptBody, most=MOST_BYTES)
@returns(SharedPromptReply, 201)
@refuses(409, TAKEN)
def add(body: SharedPromptBody) -> SharedPromptReply:
    """Keep a prompt for everybody or for a group."""
    return shared_prompt_reply(shared_prompts.add(_actor(), body.group_id, body.wanted()))


@blueprint.get("/<shared_prompt_id>")
@require_permission("prompts")
@returns(SharedPromptReply)
def one(shared_prompt_id: str) -> SharedPromptReply:
    """A prompt for everybody or for a group, with its whole text."""
    return shared_prompt_reply(shared_prompts.one(shared_prompt_id))


@blueprint.put("/<shared_prompt_id>")
@require_permission("prompts")
@require_proof
@accepts(SharedPromptBody, most=MOST_BYTES)
@returns(SharedPromptReply)
@refuses(409, TAKEN)
def change(shared_prompt_id: str, body: SharedPromptBody) -> SharedPromptReply:
    """Give a shared prompt other words, or have it for others."""
    return shared_prompt_reply(shared_prompts.change(_actor(), shared_prompt_id, body.group_id, body.wanted()))


@blueprint.delete("/<shared_prompt_id>")
@require_permission("prompts")
@require_proof
@returns(None, 204)
def delete(shared_prompt_id: str) -> None:
    """Delete a shared prompt."""
    shared_prompts.delete(_actor(), shared_prompt_id)


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
