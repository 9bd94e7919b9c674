"""OpenID Connect providers as administrators keep them: list, add, change, delete, try."""

from collections.abc import Sequence

from sqlalchemy import select

from flask_app.database import reading
from flask_app.errors import NotFound
from flask_app.models import IdentityProvider
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.sign_in import identity_terms, oidc_provider, provider_rows
from flask_app.services.sign_in.identity_terms import Terms
from flask_app.services.sign_in.oidc_provider import Metadata
from flask_app.services.sign_in.provider_rows import OIDC
from flask_app.services.sign_in.provider_rows import Listed as AnyListed
from flask_app.services.sign_in.provider_rows import Wanted as AnyWanted

Wanted = AnyWanted[Terms]
Listed = AnyListed[Terms]
secret_of = provider_rows.secret_of


def listed() -> list[Listed]:
    """In the order of their buttons: the oldest first."""
    return provider_rows.listed(OIDC)


def offered() -> Sequence[IdentityProvider]:
    """Those that people can sign in by now."""
    return provider_rows.offered(OIDC)


def by_slug(slug: str) -> IdentityProvider:
    """One that people can sign in by; raises NotFound("unknown_identity_provider")."""
    with reading() as session:
        found = session.scalar(select(IdentityProvider).where(IdentityProvider.slug == slug))
    if found is None or found.disabled or found.kind != OIDC.name:
        raise NotFound("unknown_identity_provider")
    return found


def add(actor: Actor, slug: str, wanted: Wanted) -> Listed:
    """Raises Invalid, Conflict("identity_slug_taken", "too_many_identity_providers")."""
    return provider_rows.add(actor, OIDC, slug, wanted)


def change(actor: Actor, provider_id: str, wanted: Wanted) -> Listed:
    """From the next sign-in on; the address that it sends people back to stays.

    With another issuer nobody whom the one before knew is known any more. Raises NotFound, Invalid.
    """
    return provider_rows.change(actor, OIDC, provider_id, wanted)


def delete(actor: Actor, provider_id: str) -> None:
    """Nobody signs in by it any more: what it linked goes with it, accounts stay. Raises NotFound."""
    provider_rows.delete(actor, OIDC, provider_id)


def try_out(actor: Actor, issuer: str) -> Metadata:
    """What a provider says of itself. Raises Invalid for an address that cannot be one, IdentityProviderError."""
    checked = identity_terms.issuer(issuer)
    audit_service.note(actor, "identity_provider.try", checked[:128], {"issuer": checked})
    return oidc_provider.discover(checked)
