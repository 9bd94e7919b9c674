"""From a code to verified claims: the token request, the ID token, and what only the userinfo endpoint tells.

Authlib and joserfc check the token (OpenID Connect Core 1.0, 3.1.3.7); both are loaded with the first sign-in.
"""

import base64
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from flask_app.domain import claims as found_in
from flask_app.domain import redaction
from flask_app.services.sign_in import oidc_provider
from flask_app.services.sign_in.oidc_provider import IdentityProviderError, Metadata

if TYPE_CHECKING:
    from joserfc.jwt import Token

LEEWAY_SECONDS = 120  # how far the clocks of two machines may be apart
MAX_TOKEN_LENGTH = 1 << 16


@dataclass(frozen=True, slots=True)
class Client:
    """As whom a provider knows this site."""

    client_id: str
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Redemption:
    """A code, and what must come back with it."""

    code: str = field(repr=False)
    verifier: str = field(repr=False)
    nonce: str
    redirect_uri: str


def redeem(issuer: str, client: Client, redemption: Redemption, wanted: Collection[str]) -> dict[str, Any]:
    """The verified claims; those of `wanted` that the ID token lacks are asked for at the userinfo endpoint.

    Raises IdentityProviderError.
    """
    metadata = oidc_provider.metadata(issuer)
    tokens = _tokens(metadata, client, redemption)
    claims = _verified(metadata, client, tokens, redemption.nonce)
    access_token = tokens.get("access_token")
    lacking = any(found_in.found(claims, name) is None for name in wanted)
    if metadata.userinfo_endpoint and isinstance(access_token, str) and lacking:
        claims = _told(metadata.userinfo_endpoint, access_token, claims["sub"]) | claims
    return claims


def _tokens(metadata: Metadata, client: Client, redemption: Redemption) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": redemption.code,
        "redirect_uri": redemption.redirect_uri,
        "code_verifier": redemption.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if client.secret is not None and not metadata.posts_secret:
        headers["Authorization"] = f"Basic {_basic(client.client_id, client.secret)}"
    else:
        form["client_id"] = client.client_id
        if client.secret is not None:
            form["client_secret"] = client.secret
    answer = oidc_provider.call("POST", metadata.token_endpoint, headers, urlencode(form).encode())
    if answer.status != HTTPStatus.OK:
        raise _refusal(answer.body, answer.status, client)
    return oidc_provider.document(answer)


def _refusal(body: bytes, status: int, client: Client) -> IdentityProviderError:
    """Codes are few and known (RFC 6749, 5.2); what else stands there is for the log."""
    try:
        said = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = {}
    detail = redaction.presentable(
        f"HTTP {status} {said.get('error')} {said.get('error_description')}", client.secret or ""
    )
    if said.get("error") in {"invalid_client", "unauthorized_client"}:
        return IdentityProviderError("identity_client_refused", detail=detail)
    return IdentityProviderError("identity_provider_refused", detail=detail)


def _verified(metadata: Metadata, client: Client, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
    from authlib.common.errors import AuthlibBaseError
    from authlib.oidc.core import CodeIDToken
    from joserfc.errors import JoseError

    try:
        token = _decoded(metadata, _id_token(tokens))
        params = {"nonce": nonce, "client_id": client.client_id, "access_token": tokens.get("access_token")}
        options = {
            "iss": {"essential": True, "values": [metadata.issuer]},
            "sub": {"essential": True},
            "aud": {"essential": True, "values": [client.client_id]},
        }
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(leeway=LEEWAY_SECONDS)
    except (AuthlibBaseError, JoseError) as error:
        code = "identity_clock" if _is_about_time(error) else "identity_token_invalid"
        raise IdentityProviderError(code, detail=str(error)) from error
    except (ValueError, TypeError, KeyError) as error:  # a token of another shape
        raise IdentityProviderError("identity_token_invalid", detail=str(error)) from error
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= found_in.MAX_SUBJECT:
        raise IdentityProviderError("identity_token_invalid", detail="no subject")
    return dict(claims)


def _decoded(metadata: Metadata, id_token: str) -> "Token":
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, SecurityWarning
    from joserfc.jwk import KeySet
    from joserfc.jws import JWSRegistry

    warnings.filterwarnings("ignore", "EdDSA", SecurityWarning)  # RFC 9864 has renamed it; providers have not
    registry = JWSRegistry(algorithms=list(metadata.algorithms), strict_check_header=False)
    try:
        known = KeySet.import_key_set(oidc_provider.keys(metadata.issuer))  # type: ignore[arg-type]
        return jwt.decode(id_token, key=known, registry=registry)
    except InvalidKeyIdError:  # the provider has changed its keys
        known = KeySet.import_key_set(oidc_provider.keys(metadata.issuer, anew=True))  # type: ignore[arg-type]
        return jwt.decode(id_token, key=known, registry=registry)


def _id_token(tokens: Mapping[str, Any]) -> str:
    id_token = tokens.get("id_token")
    if not isinstance(id_token, str) or len(id_token) > MAX_TOKEN_LENGTH:
        raise IdentityProviderError("identity_token_invalid", detail="no ID token")
    return id_token


def _is_about_time(error: Exception) -> bool:
    """Is the token over, or from the future?"""
    kind, claim = getattr(error, "error", ""), getattr(error, "claim", "")
    return kind == "expired_token" or (kind == "invalid_claim" and claim in {"iat", "nbf"})


def _told(endpoint: str, access_token: str, subject: str) -> dict[str, Any]:
    """What the userinfo endpoint tells; of another person than the ID token's it is worth nothing (Core, 5.3.2)."""
    answer = oidc_provider.call("GET", endpoint, {"Authorization": f"Bearer {access_token}"})
    told = oidc_provider.document(answer)
    if told.get("sub") != subject:
        raise IdentityProviderError("identity_token_invalid", detail="userinfo is of another subject")
    return told


def _basic(client_id: str, secret: str) -> str:
    """RFC 6749, 2.3.1: both are encoded as in a form before."""
    return base64.b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()
