"""Words of a text that can be searched for, what a query asks for, and where a text has it.

Scripts that write words apart have words. Chinese, Japanese, Korean and what else runs on without spaces has every two
neighbours, and the last of a run alone: so two characters are found wherever they stand, and one begins a pair.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

WORD_LENGTH = 64
SNIPPET_LENGTH, SNIPPET_BEFORE = 120, 24
SHORTEST_PREFIX = 2  # fewer letters begin too many words: they have to be one
MOST_TOKENS, MOST_IN_A_PHRASE = 32, 8  # each may be tried at every place of a text
PIECE = 8_000  # characters that a phrase is looked for in at a time: nobody else has the processor meanwhile

# Kana, Han, Bopomofo, Hangul; Thai, Lao, Myanmar, Khmer.
_RUN_ON = (
    "\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"
)
_LETTER = rf"[^\W_{_RUN_ON}]"
_PICTURES = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
# As in C++20 and C#, words other than C; a letter makes it the sign of something else, as in docs#install.
_SIGN = rf"(?:\+\+|#)(?![^\W\d_{_RUN_ON}])"
_TOKEN = re.compile(rf"[{_RUN_ON}]+|{_LETTER}+(?:{_SIGN})?|[{_PICTURES}]")
_RUNS_ON = re.compile(f"[{_RUN_ON}]")
_BROKEN = re.compile(rf"(?<=[{_RUN_ON}])[ \t\r]*+\n\s*+(?=[{_RUN_ON}])")
_A_LETTER = re.compile(_LETTER)
_NO_ENDING, _SHORT_ENDING = (
    re.compile(rf"(?!{_LETTER}|{_SIGN})"),
    re.compile(rf"{_LETTER}{{0,3}}+(?!{_LETTER}|{_SIGN})"),
)
_PLAIN = re.compile(rf"{_LETTER}+")
_WIDEST_GAP = 200
# Nothing that a token begins with: a match is never tried in several ways.
_GAP = rf"(?:[^\w{_RUN_ON}{_PICTURES}]|_){{0,{_WIDEST_GAP}}}+"
_VOICE_MARKS = "\uff9e\uff9f"  # of half-width kana, behind them: only together they are what full width has
_UNIT = re.compile(f"[\uff66-\uff9d][{_VOICE_MARKS}]|.", re.DOTALL)
_LAST_MARK = 0x36F
_LAST_WITH_ACCENTS = 0x52F  # Latin, Greek, Cyrillic
_MOST_FOLDED = 10_000  # two megabytes; texts of one language have fewer


class _Fold(dict[int, str]):
    """What each character is searched as: without case, width and accents. Filled as characters are met."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFKC", chr(code)).casefold()
        if code <= _LAST_WITH_ACCENTS or 0x1E00 <= code <= 0x1FFF:
            parts = unicodedata.normalize("NFKD", folded)
            folded = "".join(part for part in parts if not 0x300 <= ord(part) <= _LAST_MARK)
        if len(self) >= _MOST_FOLDED:
            self.clear()
        self[code] = folded
        return folded


_fold = _Fold()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens next to each other; no match is longer than `longest`."""

    pattern: re.Pattern[str]
    longest: int

    def first(self, folded: str) -> re.Match[str] | None:
        """The first match, looked for a piece at a time."""
        for begin in range(0, len(folded), PIECE):
            found = self.pattern.search(folded, begin, begin + PIECE + self.longest)
            if found and found.start() < begin + PIECE:  # another may have been cut off, and is in the next piece
                return found
        return None

    def between(self, folded: str, begin: int, end: int) -> Iterator[re.Match[str]]:
        """The matches that begin there."""
        for found in self.pattern.finditer(folded, begin, end + self.longest):
            if found.start() >= end:
                return
            yield found


@dataclass(frozen=True, slots=True)
class Query:
    """What must be there: all `words`, a word that begins with each of the `beginnings`, and these `phrases`."""

    words: frozenset[str]
    beginnings: frozenset[str]
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text on one line, and where in it (first character, and the one after the last) matches are."""

    text: str
    marks: list[tuple[int, int]]


def words_of(text: str) -> set[str]:
    """The words by which a text is found."""
    found: set[str] = set()
    for token in _TOKEN.findall(_folded(_flat(text))):
        if _RUNS_ON.match(token):
            found.update(map("".join, pairwise(token)))
            found.add(token[-1])
        else:
            found.add(token[:WORD_LENGTH])
    return found


def tokens_of(text: str) -> list[str]:
    """The words, and the runs of what is written without spaces, in their order."""
    return _TOKEN.findall(joined(text))


def runs_on(token: str) -> bool:
    """Is it written without spaces?"""
    return _RUNS_ON.match(token) is not None


def joined(text: str) -> str:
    """The text folded, as it is searched. What is written without spaces goes on where its line ends."""
    if text.isascii():
        return text.lower()
    return _BROKEN.sub("", _folded(unicodedata.normalize("NFC", text)))


def count_of(stem: str, folded: str, *, ending: bool) -> int:
    """How many words of a folded text begin so, and have at most a short `ending` after it."""
    after, count = _SHORT_ENDING if ending else _NO_ENDING, 0
    at = folded.find(stem)
    while at >= 0:
        count += not _A_LETTER.match(folded, at - 1, at) and after.match(folded, at + len(stem)) is not None
        at = folded.find(stem, at + len(stem))
    return count


def query_of(text: str) -> Query | None:
    """What somebody typed, perhaps not to the end of the last word; None where there is nothing to look for.

    The first MOST_TOKENS are looked for; where more than MOST_IN_A_PHRASE follow each other, so many at a time.
    """
    flat = _folded(_flat(text))
    pieces = (_TOKEN.findall(piece) for piece in flat.split())
    phrases = _first(
        [tokens[at : at + MOST_IN_A_PHRASE] for tokens in pieces for at in range(0, len(tokens), MOST_IN_A_PHRASE)]
    )
    if not phrases:
        return None
    *finished, last = [token for tokens in phrases for token in tokens]
    words: set[str] = set()
    beginnings: set[str] = set()
    unfinished = bool(_PLAIN.fullmatch(last)) and SHORTEST_PREFIX <= len(last) < WORD_LENGTH and flat.endswith(last)
    if unfinished:
        beginnings.add(last)
    for token in finished if unfinished else [*finished, last]:
        if not _RUNS_ON.match(token):
            words.add(token[:WORD_LENGTH])
        elif len(token) == 1:
            beginnings.add(token)
        else:
            words.update(map("".join, pairwise(token)))
    sought = [_phrase(tokens, whole=not (unfinished and tokens is phrases[-1])) for tokens in phrases]
    return Query(frozenset(words), frozenset(beginnings), tuple(dict.fromkeys(sought)))


def snippet_of(text: str, query: Query) -> Snippet | None:
    """The text around the first match; None where the words are there, but not as they were asked for."""
    flat = _flat(text)
    folded = _folded(flat)
    matches = []
    for phrase in query.phrases:
        if (match := phrase.first(folded)) is None:
            return None
        matches.append(match.start())
    starts = _starts(flat)
    first = _place(starts, min(matches))
    begin = _begin(flat, first)
    end = min(len(flat), begin + SNIPPET_LENGTH)
    before, after = "…" if begin else "", "…" if end < len(flat) else ""
    folded_end = bisect_left(starts, end) if starts else end
    marks = []
    for phrase, place in zip(query.phrases, matches, strict=True):
        for match in phrase.between(folded, place, folded_end):
            left, right = _place(starts, match.start()), _place(starts, match.end() - 1) + 1
            right += flat[right : right + 1] in tuple(_VOICE_MARKS)
            marks.append((left - begin + len(before), min(right, end) - begin + len(before)))
    return Snippet(f"{before}{flat[begin:end]}{after}", _merged(marks))


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _folded(flat: str) -> str:
    if flat.isascii():
        return flat.lower()
    return ("".join(map(_composed, _UNIT.findall(flat))) if _is_voiced(flat) else flat).translate(_fold)


def _is_voiced(flat: str) -> bool:
    return any(mark in flat for mark in _VOICE_MARKS)


def _composed(unit: str) -> str:
    return unit if len(unit) == 1 else unicodedata.normalize("NFKC", unit)


def _first(phrases: list[list[str]]) -> list[list[str]]:
    """As many as are looked for."""
    left = iter(range(MOST_TOKENS))
    cut = [[token for token, _ in zip(tokens, left, strict=False)] for tokens in phrases]
    return [tokens for tokens in cut if tokens]


def _phrase(tokens: list[str], *, whole: bool) -> Phrase:
    """The tokens next to each other. Letters stand at the beginning of a word, and where they are `whole` end it."""
    parts = []
    for number, token in enumerate(tokens):
        part = re.escape(token)
        if not _RUNS_ON.match(token) and re.match(_LETTER, token):
            is_open = number == len(tokens) - 1 and not whole
            part = rf"(?<!{_LETTER}){part}" + ("" if is_open or not token[-1].isalnum() else rf"(?!{_LETTER}|{_SIGN})")
        parts.append(part)
    longest = sum(map(len, tokens)) + _WIDEST_GAP * (len(tokens) - 1) + 2  # and what stands behind it
    return Phrase(re.compile(_GAP.join(parts)), longest)


def _starts(flat: str) -> list[int] | None:
    """Where each character of the folded text came from; None where they stand at the same places."""
    if _is_voiced(flat):
        return [unit.start() for unit in _UNIT.finditer(flat) for _ in _folded(unit[0])]
    if all(len(_fold[ord(each)]) == 1 for each in set(flat)):
        return None
    return [place for place, each in enumerate(flat) for _ in _fold[ord(each)]]


def _place(starts: list[int] | None, place: int) -> int:
    return place if starts is None else starts[place]


def _begin(flat: str, first: int) -> int:
    """A little before the match, at the beginning of a word: the match is seen where only its first lines are shown."""
    begin = max(0, first - SNIPPET_BEFORE)
    if not begin:
        return 0
    space = flat.find(" ", begin, first)
    begin = space + 1 if 0 <= space < begin + SNIPPET_BEFORE // 2 else begin
    while begin < first and unicodedata.combining(flat[begin]):
        begin += 1
    return begin


def _merged(marks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for left, right in sorted(marks):
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(right, merged[-1][1]))
        else:
            merged.append((left, right))
    return merged
