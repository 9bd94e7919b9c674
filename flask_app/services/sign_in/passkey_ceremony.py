"""What an authenticator replies, verified as WebAuthn (level 3) has it; no database.

Signatures and encodings are py_webauthn's business. It is loaded with the first reply: most sites have few.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

import structlog

from flask_app.errors import AppError, Invalid

ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256: what authenticators have (RFC 9053, RFC 8812)
LONGEST_ID = 1023  # bytes: WebAuthn, section 5.8.3
LONGEST_KEY = 1024

log = structlog.get_logger()


class PasskeyRefused(AppError):
    """Not a passkey of anybody here, or not a right reply of one: the two look the same."""

    code, status = "passkey_refused", 401


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site as a browser knows it: the name that passkeys are for, and the origin of its pages."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """A browser's reply to `navigator.credentials.create()`, in base64url; `transports` as `getTransports()` says."""

    id: str
    client_data: str
    attestation_object: str
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assertion:
    """A browser's reply to `navigator.credentials.get()`, in base64url."""

    id: str
    client_data: str
    authenticator_data: str
    signature: str
    user_handle: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey as its authenticator describes it."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    aaguid: str
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Used:
    """A right reply: what the authenticator has counted, and whether its passkey is copied by now."""

    sign_count: int
    backed_up: bool


def encoded(value: bytes) -> str:
    """In base64url without padding, as WebAuthn's JSON has it."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Raises ValueError for what is no base64url."""
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no base64url") from error


def challenge_in(client_data: str) -> bytes:
    """What the browser says that was signed; raises ValueError. Whether it is true is verified afterwards."""
    try:
        told = json.loads(decoded(client_data))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    challenge = told.get("challenge") if isinstance(told, dict) else None
    if challenge is None or not isinstance(challenge, str):
        raise ValueError("no challenge")
    return decoded(challenge)


def verified_attestation(reply: Attestation, challenge: bytes, party: RelyingParty) -> Made:
    """The passkey that was made; raises Invalid("passkey_not_made")."""
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    parts = {"clientDataJSON": reply.client_data, "attestationObject": reply.attestation_object}
    try:
        made = verify_registration_response(
            credential=_credential(reply.id, parts),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
        )
    except _unreadable() as error:
        log.info("passkey_not_made", reason=repr(error))
        raise Invalid("passkey_not_made") from error
    if len(made.credential_id) > LONGEST_ID or len(made.credential_public_key) > LONGEST_KEY:
        raise Invalid("passkey_not_made")
    return Made(made.credential_id, made.credential_public_key, made.sign_count, made.aaguid, made.credential_backed_up)


def verified_assertion(reply: Assertion, challenge: bytes, party: RelyingParty, public_key: bytes) -> Used:
    """What a right reply tells; raises PasskeyRefused. Whether its count went on is the caller's to decide."""
    from webauthn import verify_authentication_response

    parts = {"clientDataJSON": reply.client_data, "authenticatorData": reply.authenticator_data}
    try:
        used = verify_authentication_response(
            credential=_credential(reply.id, parts | {"signature": reply.signature}),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _unreadable() as error:
        log.info("passkey_refused", reason=repr(error))
        raise PasskeyRefused from error
    return Used(used.new_sign_count, used.credential_backed_up)


def _credential(credential_id: str, response: dict[str, str]) -> dict[str, Any]:
    return {"id": credential_id, "rawId": credential_id, "type": "public-key", "response": response}


def _unreadable() -> tuple[type[Exception], ...]:
    """What py_webauthn raises for wrong replies, and Python and `cryptography` beneath it for those without sense."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from webauthn.helpers.exceptions import WebAuthnException

    without_sense = (UnsupportedAlgorithm, ValueError, TypeError, LookupError, RecursionError)
    return WebAuthnException, InvalidSignature, *without_sense
