"""Prices: the administrators' API."""

from flask import Blueprint

from flask_app.database import utc_now
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tariffs import tariff_admin_service, tariff_list_service
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import accepts, returns
from flask_app.web.client import client_address
from flask_app.web.tariffs import NewTariff, TariffsReply, TariffTerms, tariffs_reply

blueprint = Blueprint("admin_tariffs", __name__, url_prefix="/api/admin/tariffs")


@blueprint.get("")
@require_permission("prices")
@returns(TariffsReply)
def listed() -> TariffsReply:
    """Every model with its prices of now, before and later; those that lack one first."""
    return _all()


@blueprint.post("")
@require_permission("prices")
@require_proof
@accepts(NewTariff)
@returns(TariffsReply, 201)
def add(body: NewTariff) -> TariffsReply:
    """Set what a model costs from a moment on. What was asked before keeps its price."""
    tariff_admin_service.add(_actor(), body.model, body.currency, body.parsed())
    return _all()


@blueprint.put("/<tariff_id>")
@require_permission("prices")
@require_proof
@accepts(TariffTerms)
@returns(TariffsReply)
def change(tariff_id: str, body: TariffTerms) -> TariffsReply:
    """Correct a price that is not in force yet."""
    tariff_admin_service.change(_actor(), tariff_id, body.parsed())
    return _all()


@blueprint.delete("/<tariff_id>")
@require_permission("prices")
@require_proof
@returns(TariffsReply)
def remove(tariff_id: str) -> TariffsReply:
    """Take back a price that is not in force yet."""
    tariff_admin_service.remove(_actor(), tariff_id)
    return _all()


def _all() -> TariffsReply:
    return tariffs_reply(tariff_list_service.listed(utc_now()))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
