"""Names of files made of people's words: harmless on every system, and in a list that a spreadsheet opens."""

import unicodedata

LENGTH = 60  # characters
MOST_BYTES = 200  # file systems take 255, with a day before the name and an ending behind it
_RESERVED = frozenset(  # devices to Windows, whatever ending they have
    (
        "con",
        "prn",
        "aux",
        "nul",
        "clock$",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"),
    )
)
_FORBIDDEN = frozenset('<>:"/\\|?*')
_ZERO_WIDTH = "\u200c\u200d"  # joiners, which emoji and some scripts are written with


def safe(words: str) -> str:
    """The words on one line, without what no path takes; Chinese and all other letters stay. It may be empty."""
    seen = "".join(_seen(each) for each in unicodedata.normalize("NFC", words))
    name = " ".join(seen.split()).strip(" .=+-@＝＋－＠~")[:LENGTH]
    name = name.encode()[:MOST_BYTES].decode(errors="ignore").rstrip(f" .{_ZERO_WIDTH}")
    return f"_{name}" if name.partition(".")[0].rstrip().casefold() in _RESERVED else name


def _seen(character: str) -> str:
    if character in _FORBIDDEN:
        return "_"
    kind = unicodedata.category(character)
    if kind in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if kind in {"Cf", "Co", "Cs"} and character not in _ZERO_WIDTH else character
