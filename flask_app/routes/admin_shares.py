"""Everybody's shared links, and who may open them: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.queries import paging
from flask_app.services.sharing import share_admin_service, sharing_policy
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import accepts, queries, returns
from flask_app.web.client import client_address
from flask_app.web.shares import AnybodysSharesReply, SharingBody, SharingReply, anybodys_shares_reply, sharing_reply

blueprint = Blueprint("admin_shares", __name__, url_prefix="/api/admin")


@blueprint.get("/shares")
@require_permission("shares")
@returns(AnybodysSharesReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def listed() -> AnybodysSharesReply:
    """Everybody's links that have not ended, the newest first: whose, until when, for whom, how often opened."""
    limit = arguments.number("limit", paging.PAGE)
    return anybodys_shares_reply(share_admin_service.listed(before=arguments.word("before"), limit=limit))


@blueprint.delete("/shares/<anybodys_share_id>")
@require_permission("shares")
@returns(None, 204)
def end(anybodys_share_id: str) -> None:
    """End anybody's link, at once and for good."""
    share_admin_service.end(_actor(), anybodys_share_id)


@blueprint.put("/settings/sharing")
@require_permission("settings")
@require_proof
@accepts(SharingBody)
@returns(SharingReply)
def change_sharing(body: SharingBody) -> SharingReply:
    """Say who may open links: nobody, whoever is signed in, or whoever has one.

    It holds for those that are there already: switched off, they open nothing until it is switched on again. None opens
    for more than when it was made.
    """
    sharing_policy.change(_actor(), body.mode)
    return sharing_reply()


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
