"""Budgets: the administrators' API."""

from flask import Blueprint

from flask_app.database import utc_now
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, top_up_service
from flask_app.services.queries import paging
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import accepts, queries, returns
from flask_app.web.budgets import (
    AddBudget,
    AddTopUp,
    AdminBudgetReply,
    AdminBudgetsReply,
    ChangeBudget,
    TopUpsReply,
    admin_budget_reply,
    admin_budgets_reply,
    top_ups_reply,
)
from flask_app.web.client import client_address

blueprint = Blueprint("admin_budgets", __name__, url_prefix="/api/admin/budgets")


@blueprint.get("")
@require_permission("budgets")
@returns(AdminBudgetsReply)
@queries(
    person="The id of a person: theirs and their tokens' alone.",
    before="Where the last page ended (`next`).",
    limit="How many, at most 100.",
)
def listed() -> AdminBudgetsReply:
    """Every budget and how it stands, the newest first."""
    asked = {"person": arguments.word("person"), "before": arguments.word("before")}
    limit = arguments.number("limit", paging.PAGE)
    return admin_budgets_reply(budget_admin_service.listed(utc_now(), **asked, limit=limit))


@blueprint.post("")
@require_permission("budgets")
@require_proof
@accepts(AddBudget)
@returns(AdminBudgetReply, 201)
def add(body: AddBudget) -> AdminBudgetReply:
    """Set a limit for the site, a group together, each person of a group, or one person."""
    made = budget_admin_service.add(_actor(), body.place(), body.limit, hard=body.hard, reason=body.reason)
    return admin_budget_reply(made)


@blueprint.patch("/<budget_id>")
@require_permission("budgets")
@require_proof
@accepts(ChangeBudget)
@returns(AdminBudgetReply)
def change(budget_id: str, body: ChangeBudget) -> AdminBudgetReply:
    """Set another limit, or whether the budget only warns."""
    return admin_budget_reply(budget_admin_service.change(_actor(), budget_id, limit=body.limit, hard=body.hard))


@blueprint.delete("/<budget_id>")
@require_permission("budgets")
@require_proof
@returns(None, 204)
def delete(budget_id: str) -> None:
    """Limit nothing by this budget any more."""
    budget_admin_service.delete(_actor(), budget_id)


@blueprint.get("/<budget_id>/top-ups")
@require_permission("budgets")
@returns(TopUpsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def top_ups(budget_id: str) -> TopUpsReply:
    """What was added to a balance, the newest first."""
    limit = arguments.number("limit", paging.PAGE)
    return top_ups_reply(top_up_service.listed(budget_id, before=arguments.word("before"), limit=limit))


@blueprint.post("/<budget_id>/top-ups")
@require_permission("budgets")
@require_proof
@accepts(AddTopUp)
@returns(AdminBudgetReply, 201)
def top_up(budget_id: str, body: AddTopUp) -> AdminBudgetReply:
    """Add to a balance, or take back from what is left of it."""
    key = body.idempotency_key
    return admin_budget_reply(
        budget_admin_service.top_up(_actor(), budget_id, body.amount, body.reason, idempotency_key=key)
    )


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
