"""Secrets at rest: AES-256-GCM under a key derived from ENCRYPTION_KEY, bound to the row that holds them.

Layout: version (1 byte), fingerprint of the key (4), nonce (12), ciphertext with its tag. The fingerprint tells a
changed ENCRYPTION_KEY from a damaged or exchanged secret.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from flask_app import config
from flask_app.errors import Unavailable
from flask_app.instance_secrets import KEY, InstanceSecrets

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
FINGERPRINT_BYTES = 4
NONCE_BYTES = 12
HINT_LENGTH, MIN_HIDDEN = 4, 12

_HEAD_BYTES = len(VERSION) + FINGERPRINT_BYTES


class Unreadable(Unavailable):
    """A sealed secret cannot be opened; the code says whether the key changed or the secret is not this row's."""


def seal(plain: str, row_id: str) -> bytes:
    """Encrypt `plain` so that only the row `row_id` gives it back."""
    key, nonce = _derived(keys()[0]), secrets.token_bytes(NONCE_BYTES)
    return VERSION + key.fingerprint + nonce + _cipher(key).encrypt(nonce, plain.encode(), row_id.encode())


def unseal(sealed: bytes, row_id: str, keys_known: Sequence[str] = ()) -> str:
    """What was sealed for `row_id`; raises Unreadable for another row's, a damaged one or another ENCRYPTION_KEY.

    `keys_known` are the keys to open it with, where they are not `keys`.
    """
    from cryptography.exceptions import InvalidTag

    nonce = sealed[_HEAD_BYTES : _HEAD_BYTES + NONCE_BYTES]
    found = [key for key in map(_derived, keys_known or keys()) if _is_sealed_by(key, sealed)]
    if not found:
        raise Unreadable("encryption_key_changed")
    try:
        return _cipher(found[0]).decrypt(nonce, sealed[_HEAD_BYTES + NONCE_BYTES :], row_id.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise Unreadable("secret_damaged") from error


def is_newest(sealed: bytes) -> bool:
    """Was it sealed with the key that seals now?"""
    return _is_sealed_by(_derived(keys()[0]), sealed)


def keys() -> tuple[str, ...]:
    """The keys that open what is sealed. The first one seals; a second one is there while it is being rotated."""
    settings = config.current()
    if KEY in settings.made_secrets:
        with suppress(FileNotFoundError):  # gone since the start: what was read then still holds
            return InstanceSecrets(settings.instance_dir).encryption_keys()
    return tuple(filter(None, (settings.encryption_key, settings.old_encryption_key)))


def hint_of(secret: str) -> str:
    """What may be shown of a secret: its last four characters, where enough stay hidden."""
    return secret[-HINT_LENGTH:] if len(secret) >= MIN_HIDDEN + HINT_LENGTH else ""


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    secret: bytes
    fingerprint: bytes


def _is_sealed_by(key: _Key, sealed: bytes) -> bool:
    return sealed[:_HEAD_BYTES] == VERSION + key.fingerprint


@lru_cache(maxsize=4)
def _derived(encryption_key: str) -> _Key:
    # Imported when the first key is read or stored: a server with the demonstration model does without its 8 MB.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    length = 32 + FINGERPRINT_BYTES
    derived = HKDF(SHA256(), length, salt=None, info=b"mingchat api keys").derive(encryption_key.encode())
    return _Key(derived[:32], derived[32:])


@lru_cache(maxsize=4)
def _cipher(key: _Key) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key.secret)
