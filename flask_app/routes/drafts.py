"""What is written and not yet sent, on all of a person's devices."""

from flask import Blueprint

from flask_app.services.conversations import draft_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.bodies import MAX_BODY_BYTES, accepts, returns
from flask_app.web.drafts import DraftReply, SaveDraft, draft_reply

blueprint = Blueprint("drafts", __name__, url_prefix="/api")


@blueprint.get("/draft")
@require_login
@returns(DraftReply)
def of_new() -> DraftReply:
    """What one has written for a new conversation and not yet sent."""
    return draft_reply(draft_service.read(get_current_user(), None))


@blueprint.put("/draft")
@require_login
@accepts(SaveDraft, most=MAX_BODY_BYTES)
@returns(DraftReply)
def keep_of_new(body: SaveDraft) -> DraftReply:
    """Keep what is written for a new conversation; nothing deletes it.

    409 `draft_sent` where the key's message has been sent, `draft_elsewhere` where words of another key stand there.
    """
    return draft_reply(draft_service.keep(get_current_user(), None, body.text, body.key))


@blueprint.get("/conversations/<conversation_id>/draft")
@require_login
@returns(DraftReply)
def of_conversation(conversation_id: str) -> DraftReply:
    """What one has written in a conversation and not yet sent."""
    return draft_reply(draft_service.read(get_current_user(), conversation_id))


@blueprint.put("/conversations/<conversation_id>/draft")
@require_login
@accepts(SaveDraft, most=MAX_BODY_BYTES)
@returns(DraftReply)
def keep_of_conversation(conversation_id: str, body: SaveDraft) -> DraftReply:
    """Keep what is written in a conversation; nothing deletes it. 409 as for a new one."""
    return draft_reply(draft_service.keep(get_current_user(), conversation_id, body.text, body.key))
