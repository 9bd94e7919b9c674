"""Passwords: which may be chosen, and how they are kept (Argon2id, OWASP's parameters)."""

import base64
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from flask_app import offload
from flask_app.errors import Invalid
from flask_app.services.people import guessable

MIN_LENGTH = 15  # NIST SP 800-63B-4, 3.1.1.2: where the password is the only factor
MAX_LENGTH = 128

SALT_BYTES, HASH_BYTES = 16, 32

_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1, salt_len=SALT_BYTES, hash_len=HASH_BYTES)


def check_strength(password: str, username: str) -> None:
    """Raise Invalid for a password that is too short, too long or among the first to be guessed."""
    lengths = len(password), len(normalised(password))
    if min(lengths) < MIN_LENGTH:
        raise Invalid("password_too_short", minimum=MIN_LENGTH)
    if max(lengths) > MAX_LENGTH:
        raise Invalid("password_too_long", limit=MAX_LENGTH)
    if code := guessable.reason(normalised(password), username):
        raise Invalid(code)


def make_hash(password: str) -> str:
    return offload.run(_hasher.hash, normalised(password))


def verify(stored: str | None, password: str) -> bool:
    """Is this the password? Without a stored hash the answer is no, after the same work."""
    matches = offload.run(_matches, stored or _NOBODYS, normalised(password))
    return matches and stored is not None


def is_outdated(stored: str) -> bool:
    """Was the hash made with weaker parameters than today's?"""
    return _hasher.check_needs_rehash(stored)


def normalised(password: str) -> str:
    """One form for what keyboards and systems write differently (NFKC); nothing is cut off."""
    return unicodedata.normalize("NFKC", password)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _hash_of_nothing() -> str:
    """Random where a hash would be, so that no password matches; it takes as long as any to find out."""
    salt, digest = (base64.b64encode(secrets.token_bytes(n)).rstrip(b"=").decode() for n in (SALT_BYTES, HASH_BYTES))
    return f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}${salt}${digest}"


_NOBODYS = _hash_of_nothing()
