"""Codes that people type: eighty random bits in four groups, without characters that look like others.

The alphabet is Crockford's base 32: no I, L, O or U. Who types an O or an l all the same meant 0 or 1.
"""

import re
import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH, GROUP = 16, 4
MOST_TYPED = 64  # characters, with whatever stands between the groups

# Also what a Japanese keyboard, a list or a messenger puts there, and what is not seen at all.
_BETWEEN = re.compile(r"[\s\-‐‑‒–—―−ー_.·・\u200b\u2060\ufeff]+")
_MEANT = str.maketrans("OIL", "011")


def new() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def of(drawn: bytes) -> str:
    """The code that these bytes make, by their first eighty bits."""
    number = int.from_bytes(drawn[: LENGTH * 5 // 8])
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(LENGTH)))


def shown(code: str) -> str:
    """In groups of four: 7K3M-9QXA-…"""
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def read(typed: str) -> str | None:
    """The code that was meant, whatever its case, width, spaces and dashes; None for what cannot be one."""
    if len(typed) > MOST_TYPED:
        return None
    code = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed)).upper().translate(_MEANT)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None
