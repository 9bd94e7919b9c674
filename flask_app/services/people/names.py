"""User names: what a person may be called, and the folded form that must be unique."""

import unicodedata

from flask_app.domain.blank import FILLERS
from flask_app.errors import Invalid

MAX_LENGTH = 64
MAX_KEY_LENGTH = 190

_ZERO_WIDTH_JOINER = "\u200d"  # joins emoji to one


def checked(name: str) -> str:
    """The name as it is shown: trimmed and composed; raises Invalid("username_invalid")."""
    shown = unicodedata.normalize("NFC", name).strip()
    if not (1 <= len(shown) <= MAX_LENGTH and all(map(_is_visible, shown)) and _has_substance(shown)):
        raise Invalid("username_invalid", limit=MAX_LENGTH)
    if len(key(shown)) > MAX_KEY_LENGTH:
        raise Invalid("username_invalid", limit=MAX_LENGTH)
    return shown


def key(name: str) -> str:
    """The name without differences of case and width: "ＡＬＩＣＥ" and "alice" are one person."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def _is_visible(character: str) -> bool:
    if character in {" ", _ZERO_WIDTH_JOINER}:
        return True
    # Refused: control, format, surrogate, private, unassigned (C…) and every separator (Z…) but the plain space.
    return unicodedata.category(character)[0] not in "CZ" and character not in FILLERS


def _has_substance(name: str) -> bool:
    """Something to see: joiners, marks and variation selectors alone show nothing."""
    return any(unicodedata.category(character)[0] in "LNPS" for character in name)
