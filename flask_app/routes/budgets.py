"""One's own budgets."""

from flask import Blueprint

from flask_app.database import utc_now
from flask_app.services import budget_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.bodies import returns
from flask_app.web.budgets import BudgetsReply, budgets_reply

blueprint = Blueprint("budgets", __name__, url_prefix="/api/budgets")


@blueprint.get("")
@require_login
@returns(BudgetsReply)
def own() -> BudgetsReply:
    """What one's requests count against: one's own budgets, those of one's group, and the site's."""
    return budgets_reply(budget_service.own(get_current_user(), utc_now()))
