"""Providers' balances against the ledger: the administrators' API."""

from flask import Blueprint

from flask_app.database import utc_now
from flask_app.services.audit.audit_service import Actor
from flask_app.services.reconciliation import reconciliation_admin_service, reconciliation_clues
from flask_app.utils import get_current_user, require_permission
from flask_app.web import arguments
from flask_app.web.bodies import accepts, queries, returns
from flask_app.web.client import client_address
from flask_app.web.reconciliations import (
    Acknowledgement,
    CluesReply,
    DayReply,
    DaysReply,
    ThresholdBody,
    clues_reply,
    day_reply,
    days_reply,
)

blueprint = Blueprint("admin_reconciliations", __name__, url_prefix="/api/admin/reconciliations")


@blueprint.get("")
@require_permission("reconciliation")
@returns(DaysReply)
@queries(**{"from": "The first day, as 2026-11-25.", "to": "The last day, within."})
def listed() -> DaysReply:
    """What providers took against what was booked, by account and day; the last thirty days where none are given."""
    return days_reply(reconciliation_admin_service.listed(arguments.dates(), utc_now()))


@blueprint.get("/<reconciliation_id>")
@require_permission("reconciliation")
@returns(CluesReply)
def explained(reconciliation_id: str) -> CluesReply:
    """What could explain a day's drift: records and attempts."""
    day = reconciliation_admin_service.get(reconciliation_id)
    return clues_reply(day, reconciliation_clues.of(day.row))


@blueprint.put("/<reconciliation_id>/acknowledgement")
@require_permission("reconciliation")
@accepts(Acknowledgement)
@returns(DayReply)
def acknowledge(reconciliation_id: str, body: Acknowledgement) -> DayReply:
    """Say that a drift is known. It is an alarm again when it becomes another one."""
    return day_reply(reconciliation_admin_service.acknowledge(_actor(), reconciliation_id, body.note))


@blueprint.put("/threshold")
@require_permission("reconciliation")
@accepts(ThresholdBody)
@returns(DaysReply)
def set_threshold(body: ThresholdBody) -> DaysReply:
    """Set how much may differ. Days whose drift nobody has acknowledged are judged by it anew."""
    reconciliation_admin_service.set_threshold(_actor(), body.absolute, body.permille)
    return days_reply(reconciliation_admin_service.listed(arguments.dates(), utc_now()))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
