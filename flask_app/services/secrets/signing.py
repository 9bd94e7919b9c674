"""Keyed digests: values that only this installation can make, each kind under a purpose of its own."""

import hashlib
import hmac

from flask_app import config


def sign(purpose: str, value: str = "") -> bytes:
    """HMAC-SHA-256 of `value` under SECRET_KEY; two purposes never give the same digest."""
    return hmac.digest(config.current().secret_key.encode(), f"{purpose}\0{value}".encode(), "sha256")


def digest(token: str) -> str:
    """What is stored in place of a random token: 64 hexadecimal characters."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(given: str, expected: str) -> bool:
    """Equality that takes the same time wherever the two differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
