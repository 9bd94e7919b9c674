"""Conversations from a file. Browsers read the file; what comes here is in our own format, a part at a time."""

from flask import Blueprint

from flask_app.services.operations import disk
from flask_app.services.portability import conversation_import
from flask_app.utils import get_current_user, require_login
from flask_app.web import long_bodies, supervision
from flask_app.web.bodies import accepts, refuses, returns
from flask_app.web.imports import ImportBody, LookBody, OutcomesReply, outcomes_reply

blueprint = Blueprint("imports", __name__, url_prefix="/api/conversations/import")


@blueprint.post("/look")
@require_login
@accepts(LookBody, most=long_bodies.WITH_TEXT)
@returns(OutcomesReply)
def look(body: LookBody) -> OutcomesReply:
    """What would become of conversations, before they are sent. Nothing is written."""
    return outcomes_reply(conversation_import.look(get_current_user(), body.sketches()))


@blueprint.post("")
@require_login
@accepts(ImportBody, most=long_bodies.WITH_TEXT)
@returns(OutcomesReply)
@refuses(403, "`account_disabled`: meanwhile. What had come in by then stays.")
@refuses(429, "`import_too_much_today`: 200 MB of text, or 200,000 messages, of a day. What has come in stays.")
@refuses(503, "`disk_full`: what is left is for messages and the ledger.")
@refuses(409, "`supervision_unseen`: the group is supervised, and its notice was not confirmed.")
def bring_in(body: ImportBody) -> OutcomesReply:
    """Bring conversations in: each once, under an id of its own, however often it is sent. It costs nothing.

    Where one has come before, messages that are new in it come behind those that they follow; nothing else changes.
    """
    supervision.require_seen()
    disk.require_reserve()
    return outcomes_reply(
        conversation_import.bring_in(get_current_user(), body.folders, body.conversations, body.contents)
    )
