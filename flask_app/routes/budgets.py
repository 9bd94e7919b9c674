"""One's own budgets, and codes that top up a balance of one's own."""

from flask import Blueprint

from flask_app.database import utc_now
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service, code_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.bodies import accepts, returns
from flask_app.web.budgets import BudgetsReply, budgets_reply
from flask_app.web.client import client_address
from flask_app.web.codes import Redemption, RedemptionReply, redemption_reply

blueprint = Blueprint("budgets", __name__, url_prefix="/api")


@blueprint.get("/budgets")
@require_login
@returns(BudgetsReply)
def own() -> BudgetsReply:
    """What one's requests count against: one's own budgets, those of one's group, and the site's."""
    return budgets_reply(budget_service.own(get_current_user(), utc_now()))


@blueprint.post("/redemptions")
@require_login
@accepts(Redemption)
@returns(RedemptionReply, 201)
def redeem(body: Redemption) -> RedemptionReply:
    """Redeem a code: it tops up one's own balance of its unit; without one it is refused, and stays unused."""
    user = get_current_user()
    return redemption_reply(code_service.redeem(Actor(user, client_address()), user, body.code))
