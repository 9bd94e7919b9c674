"""Is a password among the first that somebody would guess?

A password is cut into the cheapest parts: a frequent word costs 2, a run along the alphabet, the digits or the
keyboard 1, a date-like number 2, any other character 1. What can be had for less than `ENOUGH` is guessable: two
words and a digit, say, or a word between two runs. static/js/account/guessable.js tells people the same while they
type.
"""

import re
from functools import cache
from pathlib import Path

ENOUGH = 6
MIN_LONGEST_UNIT = 15  # what is repeated must be a password by itself
MIN_CHARACTERS = 5  # different ones

_WORD, _RUN, _NUMBER, _CHARACTER = 2, 1, 2, 1
_MIN_RUN, _MIN_WORD = 3, 2
_NUMBER_LENGTHS = range(4, 9)  # years, dates, PINs
_COMMON = Path(__file__).parents[2] / "static" / "common-passwords.txt"
_SEPARATORS = re.compile(r"[\s_.,;:!?*+=/|-]+")
_READINGS = tuple(str.maketrans("@430$571", f"aaeosst{one}") for one in "il")  # p4$$w0rd
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "1234567890-=",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1qazxsw23edcvfr45tgbnhy67ujm",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qa2ws3ed4rf5tg6yh7uj8ik9ol0p",
    "!@#$%^&*()_+",
)
_WAYS = tuple(row for line in _ROWS for row in (line, line[::-1]))


def reason(password: str, username: str) -> str | None:
    """Why the password is guessable, as a code of the catalogue; None when it is not."""
    folded = password.casefold()
    if _repeats(folded) or len(set(folded)) < MIN_CHARACTERS or _cost(folded, frozenset()) < ENOUGH:
        return "password_repetitive"
    closed_up = _SEPARATORS.sub("", folded)
    if closed_up in common() or _cost(closed_up, common()) < ENOUGH:
        return "password_common"
    if _cost(closed_up, common() | _pieces(username)) < ENOUGH:
        return "password_like_name"
    return None


@cache
def common() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _repeats(text: str) -> bool:
    """One unit again and again, the last time perhaps cut off."""
    longest = min(MIN_LONGEST_UNIT - 1, len(text) // 2)
    return any(text[unit:] == text[:-unit] for unit in range(1, longest + 1))


def _pieces(username: str) -> frozenset[str]:
    """The name closed up, backwards, and its words."""
    name = username.casefold()
    whole = _SEPARATORS.sub("", name)
    return frozenset(piece for piece in (whole, whole[::-1], *_SEPARATORS.split(name)) if len(piece) >= _MIN_WORD)


def _cost(text: str, words: frozenset[str]) -> int:
    """The cheapest way to put the text together from its end to its beginning."""
    readings = (text, *(text.translate(reading) for reading in _READINGS))
    longest = max(map(len, words), default=0)
    costs = [0] * (len(text) + 1)
    for start in range(len(text) - 1, -1, -1):
        choices = [_CHARACTER + costs[start + 1]]
        if (run := _run_length(text, start)) >= _MIN_RUN:
            choices += [_RUN + costs[end] for end in range(start + _MIN_RUN, start + run + 1)]
        if digits := _digits_from(text, start):
            choices += [_NUMBER + costs[start + n] for n in _NUMBER_LENGTHS if n <= digits]
        choices += [
            _WORD + costs[end]
            for end in range(start + _MIN_WORD, min(len(text), start + longest) + 1)
            if any(reading[start:end] in words for reading in readings)
        ]
        costs[start] = min(choices)
    return costs[0]


def _run_length(text: str, start: int) -> int:
    """How far a run goes from here: one character repeated, or a way along a row."""
    same = len(text) - start - len(text[start:].lstrip(text[start]))
    return max([same, *(_along(way, text, start) for way in _WAYS if text[start] in way)])


def _along(way: str, text: str, start: int) -> int:
    position, length = way.index(text[start]), 0
    for expected in way[position:]:
        if start + length >= len(text) or text[start + length] != expected:
            break
        length += 1
    return length


def _digits_from(text: str, start: int) -> int:
    end = start
    while end < len(text) and text[end].isascii() and text[end].isdigit():
        end += 1
    return end - start
