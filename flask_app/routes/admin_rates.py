"""How often may be asked: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import rate_admin_service
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import accepts, returns
from flask_app.web.client import client_address
from flask_app.web.rates import AllRates, GroupRatesBody, SiteRatesBody, all_rates, wanted

blueprint = Blueprint("admin_rates", __name__, url_prefix="/api/admin/rates")


@blueprint.get("")
@require_permission("limits")
@returns(AllRates)
def listed() -> AllRates:
    """What the whole site and each group have set."""
    return all_rates(rate_admin_service.listed())


@blueprint.put("/site")
@require_permission("limits")
@require_proof
@accepts(SiteRatesBody)
@returns(AllRates)
def set_site(body: SiteRatesBody) -> AllRates:
    """Set all rates of the whole site; they hold from the next request."""
    rate_admin_service.set_site(_actor(), wanted(body))
    return all_rates(rate_admin_service.listed())


@blueprint.put("/groups/<group_id>")
@require_permission("limits")
@require_proof
@accepts(GroupRatesBody)
@returns(AllRates)
def set_group(group_id: str, body: GroupRatesBody) -> AllRates:
    """Set all rates of a group's people; they hold from the next request."""
    rate_admin_service.set_group(_actor(), group_id, wanted(body))
    return all_rates(rate_admin_service.listed())


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
