"""The journey to an identity provider and back (OpenID Connect's code flow with PKCE): each way once, in one browser.

A random token in the browser's cookie and `state` make the nonce and the verifier; the database keeps digests alone.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, transaction, utc_now
from flask_app.errors import Forbidden, SignInRequired
from flask_app.models import IdentityProvider, IdentitySignIn, Registration, User
from flask_app.services.secrets.signing import digest, sign
from flask_app.services.sign_in import (
    identity_accounts,
    identity_entry,
    identity_providers,
    identity_terms,
    login_limits,
    oidc_provider,
    oidc_tokens,
    second_step,
    visits,
)
from flask_app.services.sign_in.auth_service import Browser, SignedIn
from flask_app.services.sign_in.identity_accounts import Identity
from flask_app.services.sign_in.oidc_provider import IdentityProviderError
from flask_app.services.sign_in.oidc_tokens import Client, Redemption
from flask_app.services.sign_in.pending_sign_ins import Pending, SignInExpired

LIFETIME = timedelta(minutes=10)
ASKED_OF_ALL = ("preferred_username", "email", "email_verified")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and what its cookie keeps."""

    location: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What a provider sends a browser back with. `token` is the cookie's, `redirect_uri` where it came."""

    state: str = field(repr=False)
    code: str | None = field(repr=False)
    issuer: str | None
    error: str | None
    token: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Who is signed in has linked an identity; nobody has signed in."""

    user: User


def begin(slug: str, redirect_uri: str, browser: Browser, token: str = "", *, links: User | None = None) -> Departure:
    """The way to the provider. `token` is what the browser's cookie has from another tab.

    With `links` the identity is to be linked to that person. Raises NotFound, TooMany, IdentityProviderError.
    """
    login_limits.count_identity_sign_in(browser.address)
    provider = identity_providers.by_slug(slug)
    terms = identity_terms.read(provider.terms)
    endpoint = oidc_provider.metadata(terms.issuer).authorization_endpoint
    token, state = token or secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    _keep(provider, state, token, links)
    query = {
        "response_type": "code",
        "client_id": terms.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(terms.scopes),
        "state": state,
        "nonce": _nonce(state, token),
        "code_challenge": _challenge(_verifier(state, token)),
        "code_challenge_method": "S256",
    }
    return Departure(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", token)


def finish(
    slug: str, came: Return, browser: Browser, *, actor: User | None, session_id: str | None = None
) -> SignedIn | Pending | Registration | Linked:
    """Come in, or what is waited for: the second step, or an administrator's word. The browser's session before ends.

    Raises SignInExpired for a way that nobody in this browser has gone, or that was finished; what `arrive` raises;
    Forbidden("identity_cancelled"), IdentityProviderError.
    """
    provider = identity_providers.by_slug(slug)
    under_way = _take(provider, came)
    if under_way.user_id is not None and (actor is None or actor.id != under_way.user_id):
        raise SignInRequired
    identity = identity_accounts.identity_of(provider, _claims(provider, came))
    if actor is not None and under_way.user_id is not None:
        return _link(identity, actor, session_id or "", browser)
    return identity_entry.enter(identity, browser, replaces=session_id)


def _link(identity: Identity, actor: User, session_id: str, browser: Browser) -> Linked:
    def work(session: Session) -> Linked:
        second_step.lock(session, actor.id)
        visits.require_open(session, session_id)
        identity_accounts.link(session, identity, actor, browser.address)
        return Linked(actor)

    return in_transaction(work)


def _keep(provider: IdentityProvider, state: str, token: str, links: User | None) -> None:
    now = utc_now()
    with transaction() as session:
        session.execute(delete(IdentitySignIn).where(IdentitySignIn.expires_at <= now))
        session.add(
            IdentitySignIn(
                id=digest(state),
                provider_id=provider.id,
                browser=digest(token),
                user_id=links.id if links else None,
                expires_at=now + LIFETIME,
            )
        )


def _take(provider: IdentityProvider, came: Return) -> IdentitySignIn:
    """Of two at once the database lets one through."""
    of_this = IdentitySignIn.id == digest(came.state), IdentitySignIn.browser == digest(came.token)
    open_one = *of_this, IdentitySignIn.provider_id == provider.id, IdentitySignIn.expires_at > utc_now()
    with reading() as session:
        found = session.scalar(select(IdentitySignIn).where(*open_one))
    with transaction() as session:
        taken = session.execute(delete(IdentitySignIn).where(*open_one)) if found else None
    if found is None or taken is None or not taken.rowcount:  # type: ignore[attr-defined]
        raise SignInExpired
    return found


def _claims(provider: IdentityProvider, came: Return) -> Mapping[str, Any]:
    """Verified; what is wrong at the provider's end stands in the log."""
    terms = identity_terms.read(provider.terms)
    try:
        _check_issuer(terms.issuer, came.issuer)
        if came.error is not None or came.code is None:
            raise _refusal(came.error)
        client = Client(terms.client_id, identity_providers.secret_of(provider))
        nonce, verifier = _nonce(came.state, came.token), _verifier(came.state, came.token)
        redemption = Redemption(came.code, verifier, nonce, came.redirect_uri)
        wanted = (*ASKED_OF_ALL, terms.groups_claim) if terms.maps_groups else ASKED_OF_ALL
        return oidc_tokens.redeem(terms.issuer, client, redemption, wanted)
    except IdentityProviderError as error:
        log.warning("identity_sign_in_failed", provider=provider.slug, code=error.code, detail=error.detail)
        raise


def _check_issuer(expected: str, said: str | None) -> None:
    """RFC 9207: who can be in between has one provider's code sent to another."""
    if said is None and not oidc_provider.metadata(expected).tells_issuer:
        return
    if said != expected:
        raise IdentityProviderError("identity_wrong_issuer", detail=said)


def _refusal(error: str | None) -> Exception:
    if error == "access_denied":
        return Forbidden("identity_cancelled")
    return IdentityProviderError("identity_provider_refused", detail=(error or "no code")[:64])


def _nonce(state: str, token: str) -> str:
    return base64.urlsafe_b64encode(sign("identity nonce", f"{state}:{token}")).decode().rstrip("=")


def _verifier(state: str, token: str) -> str:
    """43 characters, as RFC 7636 wants at least."""
    return base64.urlsafe_b64encode(sign("identity verifier", f"{state}:{token}")).decode().rstrip("=")


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
