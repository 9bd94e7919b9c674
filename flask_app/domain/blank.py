"""Text in which there is nothing to see: blanks, and signs without a shape."""

import unicodedata

FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that show nothing
_SHAPELESS = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # controls, formats (zero width among them), separators
_MARKS_OF_OTHERS = frozenset(map(chr, (0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))


def is_blank(text: str) -> bool:
    """Is no character of it seen?"""
    return not any(map(_is_seen, text))


def _is_seen(character: str) -> bool:
    unseen = character in FILLERS or character in _MARKS_OF_OTHERS
    return not unseen and unicodedata.category(character) not in _SHAPELESS
