"""What everybody's programs asked: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import request_retention, request_search
from flask_app.services.queries import paging
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import accepts, queries, refuses, returns
from flask_app.web.client import client_address
from flask_app.web.requests import (
    FILTER,
    RequestsReply,
    Retention,
    RetentionReply,
    all_requests_reply,
    retention_reply,
)

blueprint = Blueprint("admin_requests", __name__, url_prefix="/api/admin/requests")

_FILTER = {"user": "A person's id or name."} | FILTER


@blueprint.get("")
@require_permission("requests")
@returns(RequestsReply)
@queries(**_FILTER, before="Where the last page ended (`next`).", limit="How many, at most 100.")
def listed() -> RequestsReply:
    """What everybody's programs asked at `/v1`, and how it was answered; the newest first."""
    page = request_search.search(
        get_current_user(),
        arguments.request_filter(),
        before=arguments.word("before"),
        limit=arguments.number("limit", paging.PAGE),
    )
    return all_requests_reply(page)


@blueprint.get("/retention")
@require_permission("requests")
@returns(RetentionReply)
def retention() -> RetentionReply:
    """For how many days they are kept: everybody's, and those of some groups' people."""
    return retention_reply(request_retention.kept())


@blueprint.put("/retention")
@require_permission("requests")
@require_proof
@accepts(Retention)
@returns(RetentionReply)
@refuses(409, "`retention_removes`: so many are too old already; send the same again with `confirmed`.")
def keep_for(body: Retention) -> RetentionReply:
    """Keep them for so many days, those of some groups' people for others. What is older goes within minutes."""
    wanted = body.wanted(request_retention.kept())
    actor = Actor(get_current_user(), client_address())
    return retention_reply(request_retention.keep_for(actor, wanted, is_confirmed=body.confirmed))
