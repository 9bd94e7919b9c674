"""Passkeys as the API shows them, and WebAuthn's own JSON, in which browsers are asked and reply."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec

from flask_app.models import Passkey, User
from flask_app.services.sign_in.passkey_ceremony import ALGORITHMS, Assertion, Attestation, RelyingParty, encoded
from flask_app.services.sign_in.passkey_challenges import LIFETIME
from flask_app.services.sign_in.passkey_service import Begun
from flask_app.web import relying_party
from flask_app.web.arrivals import Arrival
from flask_app.web.bodies import Body, Reply

MILLISECONDS = 1000
_PUBLIC_KEY = "public-key"

Encoded = Annotated[str, msgspec.Meta(max_length=4000)]  # base64url
LongEncoded = Annotated[str, msgspec.Meta(max_length=32_000)]
Transport = Annotated[str, msgspec.Meta(pattern="^[a-z-]{1,20}$")]


class AttestationParts(msgspec.Struct, kw_only=True):
    client_data: Encoded = msgspec.field(name="clientDataJSON")
    attestation_object: LongEncoded = msgspec.field(name="attestationObject")
    transports: Annotated[list[Transport], msgspec.Meta(max_length=10)] = []


class NewCredential(msgspec.Struct, kw_only=True):
    """What `credential.toJSON()` gives after `navigator.credentials.create()`; more than these is not looked at."""

    id: Encoded
    response: AttestationParts


class NewPasskey(Body):
    credential: NewCredential


class AssertionParts(msgspec.Struct, kw_only=True):
    client_data: Encoded = msgspec.field(name="clientDataJSON")
    authenticator_data: Encoded = msgspec.field(name="authenticatorData")
    signature: Encoded
    user_handle: Encoded | None = msgspec.field(name="userHandle", default=None)


class SignedCredential(msgspec.Struct, kw_only=True):
    """What `credential.toJSON()` gives after `navigator.credentials.get()`; more than these is not looked at."""

    id: Encoded
    response: AssertionParts


class PasskeySignIn(Arrival, kw_only=True):
    credential: SignedCredential


class PasskeyReply(Reply):
    """`synced`: its keeper has copied it. It is good at `address` alone, which is this site's `here`."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    synced: bool
    address: str
    here: bool


class PasskeysReply(Reply):
    """`refusal`: the code of what keeps browsers from passkeys at this address; null where nothing does."""

    passkeys: list[PasskeyReply]
    refusal: str | None


class OnePasskeyReply(Reply):
    passkey: PasskeyReply


class Party(Reply):
    id: str
    name: str


class Owner(Reply, rename="camel"):
    id: str
    name: str
    display_name: str


class Algorithm(Reply):
    alg: int
    type: str = _PUBLIC_KEY


class Held(Reply):
    id: str
    transports: list[str]
    type: str = _PUBLIC_KEY


class Selection(Reply, rename="camel"):
    resident_key: str = "required"
    require_resident_key: bool = True
    user_verification: str = "required"


class CreationOptions(Reply, rename="camel"):
    """For `navigator.credentials.create()`, as `PublicKeyCredential.parseCreationOptionsFromJSON()` takes it."""

    challenge: str
    rp: Party
    user: Owner
    pub_key_cred_params: list[Algorithm]
    exclude_credentials: list[Held]
    authenticator_selection: Selection
    timeout: int
    attestation: str = "none"


class RequestOptions(Reply, rename="camel"):
    """For `navigator.credentials.get()`, as `PublicKeyCredential.parseRequestOptionsFromJSON()` takes it.

    It names no passkeys: whoever signs in chooses one of their own.
    """

    challenge: str
    rp_id: str
    timeout: int
    allow_credentials: list[Held]
    user_verification: str = "required"


def passkey_reply(passkey: Passkey) -> PasskeyReply:
    return PasskeyReply(
        id=passkey.id,
        name=passkey.name,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
        synced=passkey.backed_up,
        address=passkey.rp_id,
        here=passkey.rp_id == relying_party.host_name(),
    )


def passkeys_reply(passkeys: Iterable[Passkey]) -> PasskeysReply:
    return PasskeysReply(passkeys=[passkey_reply(each) for each in passkeys], refusal=relying_party.why_not())


def creation_options(begun: Begun, user: User, party: RelyingParty, site_name: str) -> CreationOptions:
    return CreationOptions(
        challenge=encoded(begun.challenge),
        rp=Party(id=party.id, name=site_name),
        user=Owner(id=encoded(user.id.encode()), name=user.username, display_name=user.username),
        pub_key_cred_params=[Algorithm(alg=number) for number in ALGORITHMS],
        exclude_credentials=[
            Held(id=encoded(each.credential_id), transports=each.transports.split()) for each in begun.held
        ],
        authenticator_selection=Selection(),
        timeout=_timeout(),
    )


def request_options(challenge: bytes, party: RelyingParty) -> RequestOptions:
    return RequestOptions(challenge=encoded(challenge), rp_id=party.id, timeout=_timeout(), allow_credentials=[])


def attestation(credential: NewCredential) -> Attestation:
    parts = credential.response
    return Attestation(credential.id, parts.client_data, parts.attestation_object, tuple(parts.transports))


def assertion(credential: SignedCredential) -> Assertion:
    parts = credential.response
    proof = (parts.client_data, parts.authenticator_data, parts.signature)
    return Assertion(credential.id, *proof, user_handle=parts.user_handle or "")


def _timeout() -> int:
    return int(LIFETIME.total_seconds()) * MILLISECONDS
