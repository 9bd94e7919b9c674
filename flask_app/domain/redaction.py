"""A provider's own words about a failure, made fit to be kept and shown to an administrator."""

import re

MAX_DETAIL = 200
BLOT = "…"
_PIECE = 6  # as much of a key's text as gives it away

# What is no visible character, or turns the reading direction: Unicode's Cc, Cf, surrogates, line separators, tags.
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U000e0000-\U000e007f]+"
)
_KEY_LIKE = (
    re.compile(r"(?ai)\b(?:sk|pk|rk|ak|key|token)[-_][\w*.-]{4,}"),
    re.compile(r"(?i)(?<=bearer )\S+|(?<=basic )\S+"),
    re.compile(r"(?a)(?<![\w+/=.*-])(?=[\w+/=.*-]*\d)(?=[\w+/=.*-]*[A-Za-z])[\w+/=.*-]{20,}"),
    re.compile(r"://[^/\s@]*@"),
)


def presentable(words: str, secret: str) -> str:
    """At most 200 visible characters of `words`, without `secret`, any part of it, or what looks like a key."""
    text = " ".join(_INVISIBLE.sub(" ", words[: MAX_DETAIL * 5]).split())
    text = " ".join(BLOT if _gives_away(word, secret) else word for word in text.split(" "))
    for shape in _KEY_LIKE:
        text = shape.sub(BLOT, text)
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"


def _gives_away(word: str, secret: str) -> bool:
    pieces = (secret[start : start + _PIECE] for start in range(max(len(secret) - _PIECE, 0) + 1))
    return bool(secret) and any(piece in word for piece in pieces)
