"""A person's device that keeps a passkey: ES256, of our own making, and how a browser hands it what it signs."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import select

from flask_app.database import reading, transaction
from flask_app.models import AuditEntry, Passkey
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in.passkey_ceremony import decoded, encoded
from tests.conftest import PASSWORD
from tests.support.clients import HTTPS, PageClient
from tests.support.entrance import error_code

OWN, ENTRY = "/api/me/passkeys", "/api/login/passkey"
PRESENT, VERIFIED, MAY_BE_COPIED, COPIED, NEW = 0x01, 0x04, 0x08, 0x10, 0x40  # WebAuthn, section 6.1


@dataclass
class Device:
    """`counts`: its counter goes on with each use; `verifies`: it asks for a finger or a PIN; `copied`: synced."""

    rp_id: str = "localhost"
    origin: str = HTTPS
    counts: bool = True
    verifies: bool = True
    copied: bool = False
    aaguid: bytes = bytes(16)
    count: int = 0
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    user_id: str = ""
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """What a browser replies to the options of a new passkey, as `credential.toJSON()` has it."""
        self.user_id = options["user"]["id"]
        client_data = self.client_data("webauthn.create", options["challenge"])
        statement = {"fmt": "none", "attStmt": {}, "authData": self.authenticator_data(new=True)}
        response = {"attestationObject": encoded(cbor2.dumps(statement)), "transports": ["internal", "hybrid"]}
        return self._credential(response | {"clientDataJSON": encoded(client_data)})

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """What a browser replies to the options of a sign-in."""
        client_data = self.client_data("webauthn.get", options["challenge"])
        data = self.authenticator_data()
        signature = self._key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {"authenticatorData": encoded(data), "signature": encoded(signature), "userHandle": self.user_id}
        return self._credential(response | {"clientDataJSON": encoded(client_data)})

    def client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def authenticator_data(self, *, new: bool = False) -> bytes:
        self.count += self.counts and not new
        flags = PRESENT | VERIFIED * self.verifies | (MAY_BE_COPIED | COPIED) * self.copied | NEW * new
        head = hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)
        if not new:
            return head
        return head + self.aaguid + len(self.credential_id).to_bytes(2) + self.credential_id + self.public_key()

    def public_key(self) -> bytes:
        point = self._key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        credential_id = encoded(self.credential_id)
        about = {"authenticatorAttachment": "platform", "clientExtensionResults": {}}
        return {"id": credential_id, "rawId": credential_id, "type": "public-key", "response": response, **about}


def ask(client: PageClient, path: str, **body: Any) -> Any:
    """A change that gives the browser a new session keeps its CSRF token current, as our pages do."""
    response = client.post(f"{OWN}{path}", json=body)
    client.csrf_token = response.headers.get("X-CSRF-Token", client.csrf_token)
    return response


def begin(client: PageClient, **proof: str) -> dict[str, Any]:
    """The options of a new passkey of whoever is signed in there."""
    begun = ask(client, "/options", **({"password": PASSWORD} | proof))
    assert begun.status_code == 200, begun.get_data(as_text=True)
    options: dict[str, Any] = begun.json
    return options


def add(client: PageClient, device: Device | None = None, **proof: str) -> tuple[Device, dict[str, Any]]:
    """Whoever is signed in there has a passkey on the device from now on; what the API shows of it."""
    device = device or Device()
    added = ask(client, "", credential=device.make(begin(client, **proof)))
    assert added.status_code == 201, added.get_data(as_text=True)
    return device, added.json["passkey"]


def keep(user_id: str) -> str:
    """A passkey in the database, as one that was added before; its id."""
    device = Device()
    facts: dict[str, Any] = {"credential_id": device.credential_id, "public_key": device.public_key()}
    facts |= {"digest": digest(encoded(device.credential_id)), "rp_id": device.rp_id}
    facts |= {"transports": "usb", "aaguid": "", "backed_up": False}
    with transaction() as session:
        passkey = Passkey(user_id=user_id, name="a passkey", **facts)
        session.add(passkey)
    return passkey.id


def options(client: PageClient) -> dict[str, Any]:
    """What a browser is asked for at sign-in; the client keeps the cookie that goes with it."""
    asked = client.post(f"{ENTRY}/options")
    assert asked.status_code == 200
    told: dict[str, Any] = asked.json  # type: ignore[assignment]
    return told


def sign_in(client: PageClient, device: Device, address: str = "192.0.2.1", **told: str) -> Any:
    return send(client, device.sign(options(client)), address, **told)


def send(client: PageClient, credential: Any, address: str = "192.0.2.1", **told: str) -> Any:
    return client.post(ENTRY, json={"credential": credential} | told, environ_overrides={"REMOTE_ADDR": address})


def kept(passkey_id: str) -> Passkey:
    with reading() as session:
        return session.scalars(select(Passkey).where(Passkey.id == passkey_id)).one()


def spoilt(credential: dict[str, Any], part: str) -> dict[str, Any]:
    """The same with one bit of a part of the reply turned."""
    whole = bytearray(decoded(credential["response"][part]))
    whole[-1] ^= 1
    return credential | {"response": credential["response"] | {part: encoded(bytes(whole))}}


def refusal(response: Any) -> tuple[int, str]:
    """The status and the code."""
    return response.status_code, error_code(response)


def entries() -> list[AuditEntry]:
    """The audit log, the oldest first."""
    with reading() as session:
        return list(session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id)))
