"""Everybody's personal access tokens: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.queries import paging
from flask_app.services.tokens import token_admin_service
from flask_app.utils import get_current_user, require_permission
from flask_app.web import arguments
from flask_app.web.bodies import queries, returns
from flask_app.web.client import client_address
from flask_app.web.tokens import AnybodysTokensReply, anybodys_tokens_reply

blueprint = Blueprint("admin_tokens", __name__, url_prefix="/api/admin/tokens")


@blueprint.get("")
@require_permission("tokens")
@returns(AnybodysTokensReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def listed() -> AnybodysTokensReply:
    """Everybody's personal access tokens, the newest first."""
    limit = arguments.number("limit", paging.PAGE)
    return anybodys_tokens_reply(token_admin_service.listed(before=arguments.word("before"), limit=limit))


@blueprint.delete("/<access_token_id>")
@require_permission("tokens")
@returns(None, 204)
def revoke(access_token_id: str) -> None:
    """Revoke anybody's token at once; what is being answered to it stops."""
    token_admin_service.revoke(Actor(get_current_user(), client_address()), access_token_id)
