"""What an OpenID Connect provider says of itself (OpenID Connect Discovery 1.0), and its keys."""

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from flask_app import config
from flask_app.domain import redaction
from flask_app.errors import AppError, Invalid, UpstreamError
from flask_app.upstream import addresses, exchange

FRESH_SECONDS = 600  # how long a process believes what it has read
KEYS_AGAIN_SECONDS = 30  # a token signed by a key that nobody knows makes it ask again, not more often
ALGORITHMS = (
    "RS256",
    "PS256",
    "ES256",
    "EdDSA",
    "Ed25519",
)  # none and the symmetric ones, whose key would be public, never
MOST_KNOWN = 64

_FAILURES = {
    "upstream_unreachable": "identity_provider_unreachable",
    "upstream_timeout": "identity_provider_timeout",
    "upstream_address_private": "identity_provider_private",
    "upstream_garbage": "identity_provider_garbage",
}


class IdentityProviderError(AppError):
    """The provider cannot be asked, or what it says cannot stand. `detail` is for administrators and the log only."""

    code, status = "identity_provider_garbage", 502

    def __init__(self, code: str, *, detail: str | None = None, **params: str) -> None:
        super().__init__(code, retry_after=None, **params)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Metadata:
    """`posts_secret`: the client's secret goes into the body, not the header. `tells_issuer`: RFC 9207."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: tuple[str, ...]
    posts_secret: bool
    tells_issuer: bool


@dataclass(slots=True)
class _Known:
    metadata: Metadata
    read_at: float
    keys: dict[str, Any] | None = None
    keys_at: float = field(default=0.0)


_known: dict[str, _Known] = {}


def metadata(issuer: str) -> Metadata:
    """Raises IdentityProviderError."""
    return _of(issuer).metadata


def keys(issuer: str, *, anew: bool = False) -> dict[str, Any]:
    """The provider's public keys, a JWK set; `anew` where one was missing. Raises IdentityProviderError."""
    known, now = _of(issuer), time.monotonic()
    age = now - known.keys_at
    if known.keys is None or age > FRESH_SECONDS or (anew and age > KEYS_AGAIN_SECONDS):
        known.keys, known.keys_at = _keys(known.metadata), now
    return known.keys


def discover(issuer: str) -> Metadata:
    """Read it now, with its keys; raises IdentityProviderError, which says in words what is wrong."""
    _known.pop(issuer, None)
    keys(issuer)
    return metadata(issuer)


def forget() -> None:
    """Believe nothing that was read."""
    _known.clear()


def call(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> exchange.Answer:
    """Ask one of a provider's addresses; raises IdentityProviderError."""
    try:
        return exchange.ask(
            method,
            url,
            {"Accept": "application/json", "User-Agent": "MingChat", **headers},
            body,
            seconds=exchange.WHOLE_SECONDS,
            allow_insecure=config.current().allow_insecure_upstreams,
        )
    except UpstreamError as error:
        detail = redaction.presentable(error.detail or "", "") or None
        raise IdentityProviderError(_FAILURES[error.code], detail=detail) from error


def document(answer: exchange.Answer) -> dict[str, Any]:
    """A reply that must be a JSON object with the status 200; raises IdentityProviderError."""
    if answer.status != HTTPStatus.OK:
        raise IdentityProviderError("identity_provider_refused", detail=f"HTTP {answer.status}")
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IdentityProviderError("identity_provider_garbage", detail=str(error)) from error


def _of(issuer: str) -> _Known:
    known = _known.get(issuer)
    if known is None or time.monotonic() - known.read_at > FRESH_SECONDS:
        if len(_known) >= MOST_KNOWN:  # an administrator tries one after the other
            _known.clear()
        known = _known[issuer] = _Known(_discovered(issuer), time.monotonic())
    return known


def _discovered(issuer: str) -> Metadata:
    said = document(call("GET", issuer.rstrip("/") + "/.well-known/openid-configuration", {}))
    if said.get("issuer") != issuer:
        raise IdentityProviderError("identity_issuer_differs", said=str(said.get("issuer"))[:200], issuer=issuer)
    if "code" not in _listed(said, "response_types_supported", ["code"]):
        raise IdentityProviderError("identity_no_code_flow")
    if "S256" not in _listed(said, "code_challenge_methods_supported", ["S256"]):
        raise IdentityProviderError("identity_no_pkce")
    offered = _listed(said, "id_token_signing_alg_values_supported", ["RS256"])
    algorithms = tuple(name for name in ALGORITHMS if name in offered)
    if not algorithms:
        raise IdentityProviderError("identity_no_algorithm", known=", ".join(ALGORITHMS))
    methods = _listed(said, "token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_address(said, "authorization_endpoint"),
        token_endpoint=_address(said, "token_endpoint"),
        jwks_uri=_address(said, "jwks_uri"),
        userinfo_endpoint=_address(said, "userinfo_endpoint") if said.get("userinfo_endpoint") else None,
        algorithms=algorithms,
        posts_secret="client_secret_basic" not in methods and "client_secret_post" in methods,
        tells_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _keys(known: Metadata) -> dict[str, Any]:
    said = document(call("GET", known.jwks_uri, {}))
    found = said.get("keys")
    usable = [each for each in found if _is_usable(each)] if isinstance(found, list) else []
    if not usable:
        raise IdentityProviderError("identity_no_keys")
    return {"keys": usable}


def _is_usable(key: object) -> bool:
    """One for signatures that is not a shared secret."""
    return isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"


def _listed(said: dict[str, Any], name: str, usual: list[str]) -> list[Any]:
    value = said.get(name, usual)
    return value if isinstance(value, list) else []


def _address(said: dict[str, Any], name: str) -> str:
    """Held to the same rules as one that an administrator types."""
    try:
        return addresses.normalise_webhook(
            str(said.get(name) or ""), allow_insecure=config.current().allow_insecure_upstreams
        )
    except Invalid as error:
        raise IdentityProviderError("identity_bad_endpoint", name=name, value=str(said.get(name))[:200]) from error
