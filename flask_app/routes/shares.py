"""One's own links, by which others read a conversation as it stood."""

from flask import Blueprint, g

from flask_app.services.audit.audit_service import Actor
from flask_app.services.sharing import share_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.arguments import word
from flask_app.web.bodies import accepts, queries, refuses, returns
from flask_app.web.client import client_address
from flask_app.web.shares import NewShare, ShareReply, SharesReply, share_reply, shares_reply

blueprint = Blueprint("shares", __name__, url_prefix="/api")


@blueprint.post("/conversations/<conversation_id>/shares")
@require_login
@accepts(NewShare)
@returns(ShareReply, 201)
@refuses(403, "`sharing_off`: nobody shares here. `sharing_not_allowed`: one's group does not.")
@refuses(409, "`answer_not_finished`: an answer of the branch is being written. `too_many_shares`, `shares_too_long`.")
@refuses(429, "`too_many_shares_today`: ended ones count too.")
def make(conversation_id: str, body: NewShare) -> ShareReply:
    """Share a branch of a conversation as it stands now: a link, and the snapshot that it shows."""
    return share_reply(share_service.make(_actor(), g.session_id, conversation_id, body.wanted()))


@blueprint.get("/shares")
@require_login
@returns(SharesReply)
@queries(conversation="The id of the only conversation whose links are wanted.")
def own() -> SharesReply:
    """One's own links that have not ended, the newest first; at most a hundred."""
    return shares_reply(get_current_user(), word("conversation"))


@blueprint.delete("/shares/<share_id>")
@require_login
@returns(None, 204)
def end(share_id: str) -> None:
    """End a link of one's own: it opens nothing any more, and its snapshot is gone."""
    share_service.end(_actor(), share_id)


@blueprint.delete("/shares")
@require_login
@returns(None, 204)
def end_all() -> None:
    """End all links of one's own."""
    share_service.end_all(_actor())


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
