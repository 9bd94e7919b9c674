"""Names of files made of people's words: harmless on every system, and in a list that a spreadsheet opens."""

import unicodedata

LENGTH = 60  # characters; file systems take 255 bytes, and four is what one character has at most
_FORBIDDEN = frozenset('<>:"/\\|?*')
_ZERO_WIDTH = "\u200c\u200d"  # joiners, which emoji and some scripts are written with


def safe(words: str) -> str:
    """The words on one line, without what no path takes; Chinese and all other letters stay. It may be empty."""
    seen = "".join(_seen(each) for each in unicodedata.normalize("NFC", words))
    return " ".join(seen.split()).strip(" .=+-@＝＋－＠~")[:LENGTH].rstrip(" .")


def _seen(character: str) -> str:
    if character in _FORBIDDEN:
        return "_"
    kind = unicodedata.category(character)
    if kind in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if kind in {"Cf", "Co", "Cs"} and character not in _ZERO_WIDTH else character
