"""Who may register, and who waits: the administrators' API."""

from flask import Blueprint, request

from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import registration_admin_service, registration_notice, registration_settings
from flask_app.services.queries import paging
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import accepts, queries, returns
from flask_app.web.client import client_address
from flask_app.web.people import PersonReply, person_reply
from flask_app.web.registrations import (
    Accepting,
    RegistrationsReply,
    TermsBody,
    TermsReply,
    registrations_reply,
    terms_reply,
)

blueprint = Blueprint("admin_registrations", __name__, url_prefix="/api/admin")


@blueprint.put("/settings/registration")
@require_permission("people.add")
@require_proof
@accepts(TermsBody)
@returns(TermsReply)
def change(body: TermsBody) -> TermsReply:
    """Say who may make an account without an invitation. Holds from the next request."""
    return terms_reply(registration_settings.change(_actor(), body.wanted()))


@blueprint.get("/registrations")
@require_permission("people.add")
@returns(RegistrationsReply)
@queries(after="Where the last page ended (`next`).", limit="How many, at most 100.")
def waiting() -> RegistrationsReply:
    """Everybody who waits for an administrator's word, who came first first."""
    limit = arguments.number("limit", paging.PAGE)
    return registrations_reply(registration_admin_service.waiting(after=arguments.word("after"), limit=limit))


@blueprint.post("/registrations/<registration_id>/accept")
@require_permission("people.add")
@require_proof
@accepts(Accepting)
@returns(PersonReply)
def accept(registration_id: str, body: Accepting) -> PersonReply:
    """Let somebody in: from now on they can sign in with the password that they chose. A mail tells them so."""
    person = registration_admin_service.accept(_actor(), registration_id, body.group_id)
    registration_notice.tell(person.user, request.url_root.rstrip("/"))
    return person_reply(person)


@blueprint.delete("/registrations/<registration_id>")
@require_permission("people.add")
@returns(None, 204)
def refuse(registration_id: str) -> None:
    """Forget somebody who waits."""
    registration_admin_service.refuse(_actor(), registration_id)


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
