"""Providers: the administrators' API."""

from typing import Annotated

import msgspec
from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import provider_service
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import Body, accepts, returns
from flask_app.web.client import client_address
from flask_app.web.keys import ProviderReply, provider_reply

blueprint = Blueprint("admin_providers", __name__, url_prefix="/api/admin/providers")


class ChangeProvider(Body):
    """Of several providers that list a model the one with the lowest priority is asked first."""

    priority: Annotated[int, msgspec.Meta(ge=-1000, le=1000)]


@blueprint.patch("/<provider_id>")
@require_permission("keys")
@require_proof
@accepts(ChangeProvider)
@returns(ProviderReply)
def change(provider_id: str, body: ChangeProvider) -> ProviderReply:
    """Change a provider's place among the others."""
    actor = Actor(get_current_user(), client_address())
    return provider_reply(provider_service.change(actor, provider_id, priority=body.priority))
