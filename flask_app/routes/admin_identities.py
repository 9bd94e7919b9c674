"""Identity providers, and who may sign in by a password: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.sign_in import identity_providers, password_sign_in
from flask_app.services.sign_in.oidc_provider import IdentityProviderError
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import accepts, returns
from flask_app.web.client import client_address
from flask_app.web.identities import (
    IdentityProviderReply,
    IdentityProvidersReply,
    NewProvider,
    PasswordSignIn,
    PasswordSignInReply,
    TermsBody,
    TriedReply,
    Trying,
    failed_reply,
    password_sign_in_reply,
    provider_reply,
    providers_reply,
    tried_reply,
)

blueprint = Blueprint("admin_identities", __name__, url_prefix="/api/admin")


@blueprint.get("/identity-providers")
@require_permission("identities")
@returns(IdentityProvidersReply)
def listed() -> IdentityProvidersReply:
    """Every identity provider, and who may sign in by a password."""
    return providers_reply()


@blueprint.post("/identity-providers")
@require_permission("identities")
@require_proof
@accepts(NewProvider)
@returns(IdentityProviderReply, 201)
def add(body: NewProvider) -> IdentityProviderReply:
    """Let people sign in by another OpenID Connect provider. The secret is returned by nothing afterwards."""
    return provider_reply(identity_providers.add(_actor(), body.slug, body.wanted()))


@blueprint.put("/identity-providers/<identity_provider_id>")
@require_permission("identities")
@require_proof
@accepts(TermsBody)
@returns(IdentityProviderReply)
def change(identity_provider_id: str, body: TermsBody) -> IdentityProviderReply:
    """Change what a provider is asked, and what its word is worth. Holds from the next sign-in."""
    return provider_reply(identity_providers.change(_actor(), identity_provider_id, body.wanted()))


@blueprint.delete("/identity-providers/<identity_provider_id>")
@require_permission("identities")
@require_proof
@returns(None, 204)
def delete(identity_provider_id: str) -> None:
    """Let nobody sign in by it any more. Accounts stay, what was linked goes."""
    identity_providers.delete(_actor(), identity_provider_id)


@blueprint.post("/identity-providers/try")
@require_permission("identities")
@require_proof
@accepts(Trying)
@returns(TriedReply)
def try_out(body: Trying) -> TriedReply:
    """Read what a provider says of itself, and say in words what is wrong with it."""
    try:
        return tried_reply(identity_providers.try_out(_actor(), body.issuer))
    except IdentityProviderError as error:
        return failed_reply(error)


@blueprint.put("/settings/password-sign-in")
@require_permission("identities")
@require_proof
@accepts(PasswordSignIn)
@returns(PasswordSignInReply)
def choose_password_sign_in(body: PasswordSignIn) -> PasswordSignInReply:
    """Say who may sign in by a password. Administrators always may."""
    password_sign_in.choose(_actor(), everybody=body.everybody)
    return password_sign_in_reply()


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
