"""Redeem codes: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import code_admin_service
from flask_app.services.queries import paging
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import accepts, queries, returns
from flask_app.web.client import client_address
from flask_app.web.codes import (
    BatchesReply,
    BatchReply,
    CodesReply,
    MadeReply,
    NewBatch,
    batch_reply,
    batches_reply,
    codes_reply,
    made_reply,
)

blueprint = Blueprint("admin_codes", __name__, url_prefix="/api/admin")


@blueprint.get("/code-batches")
@require_permission("codes")
@returns(BatchesReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def batches() -> BatchesReply:
    """Every batch of redeem codes, the newest first."""
    limit = arguments.number("limit", paging.PAGE)
    return batches_reply(code_admin_service.listed(before=arguments.word("before"), limit=limit))


@blueprint.post("/code-batches")
@require_permission("codes")
@require_proof
@accepts(NewBatch)
@returns(MadeReply, 201)
def make(body: NewBatch) -> MadeReply:
    """Make redeem codes. They are not shown again."""
    return made_reply(code_admin_service.make(_actor(), body.terms()))


@blueprint.delete("/code-batches/<batch_id>")
@require_permission("codes")
@returns(BatchReply)
def revoke_batch(batch_id: str) -> BatchReply:
    """Let none of a batch's codes be redeemed any more. What was redeemed stays."""
    return batch_reply(code_admin_service.revoke_batch(_actor(), batch_id))


@blueprint.get("/code-batches/<batch_id>/codes")
@require_permission("codes")
@returns(CodesReply)
@queries(after="Where the last page ended (`next`).", limit="How many, at most 100.")
def codes(batch_id: str) -> CodesReply:
    """A batch's codes by their beginnings, and what became of them."""
    limit = arguments.number("limit", paging.PAGE)
    return codes_reply(code_admin_service.codes_of(batch_id, after=arguments.word("after"), limit=limit))


@blueprint.delete("/codes/<code_id>")
@require_permission("codes")
@returns(BatchReply)
def revoke_code(code_id: str) -> BatchReply:
    """Let a code be redeemed no more; gives its batch."""
    return batch_reply(code_admin_service.revoke_code(_actor(), code_id))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
