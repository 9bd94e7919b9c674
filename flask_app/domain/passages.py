"""The passages of long texts that fit a question: pieces of some 1,000 characters, ranked by its words (BM25).

Where it is known how near they are in meaning, both orders make one (reciprocal rank fusion).
The same question finds the same: nothing here depends on anything else. What a script writes without spaces is compared
by every two neighbours, as in the search of conversations; a word also where it has an ending (contract, contracts).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log
from typing import NamedTuple

from flask_app.domain import search_terms
from flask_app.domain.document_pages import Page, pages_of
from flask_app.domain.events import estimate_tokens

SHORTEST, LONGEST, OVERLAP = 800, 1_200, 150  # characters of a piece, and what it has of the one before
MOST_TERMS = 64  # of a question: half of them its first, half its last
_MOST_ASKED = 10_000  # characters of it that are looked at, half of them its first
FEWEST_PIECES = 8  # of which a word that is nearly everywhere tells nothing
COMMON = 0.5  # of the pieces
FAINT = 0.15  # of the best score: what has less is left out
MOST_NEAR = 16  # passages that count as near in meaning
_SMOOTH = 60  # as reciprocal ranks are mostly fused
_SATURATION, _BY_LENGTH = 1.2, 0.75  # as BM25 is mostly used
_AROUND_TOKENS = 10  # what stands around a passage in a prompt
_SHORTEST_STEM = 4  # letters
_ENDING = re.compile(r"(?:ies|es|s|ed|ing|y|e)$")
_BREAKS = (("\n\n",), (". ", "! ", "? ", ".\n", "。", "！", "？"), ("\n",), (" ", "，", "、", "；"))


class Passage(NamedTuple):
    """Of which text, on which page of it, from where to where. `page` is None where the text has no pages."""

    text: int
    page: int | None
    begin: int
    end: int


class _Term(NamedTuple):
    """What is looked for: neighbours of what `runs_on`, or a word, which may have an `ending`."""

    sign: str
    runs_on: bool
    ending: bool = False

    def count(self, folded: str) -> int:
        return folded.count(self.sign) if self.runs_on else search_terms.count_of(self.sign, folded, ending=self.ending)


def best(texts: Sequence[str], question: str, budget: int, near: Sequence[int] = ()) -> list[Passage]:
    """Those that fit, of all texts together, in no more than about so many tokens, and in the order of the texts.

    `near` are the places of those that are near in meaning, the nearest first, among the pieces of all texts.
    None where there are none, and no word of the question is in the texts, or all are everywhere.
    """
    pieces = [piece for number, text in enumerate(texts) for piece in pieces_of(text, number)]
    scores = _scores([search_terms.joined(texts[each.text][each.begin : each.end]) for each in pieces], question)
    least = FAINT * max(scores.values(), default=0)
    ranked = sorted((at for at, score in scores.items() if score >= least), key=lambda at: (-scores[at], at))
    return _fitting(texts, [pieces[at] for at in _fused(ranked, near[:MOST_NEAR])], budget)


def first(text: str, budget: int) -> list[Passage]:
    """As much of a text's beginning."""
    return _fitting([text], pieces_of(text), budget)


def pieces_of(text: str, number: int = 0) -> Iterator[Passage]:
    """The whole text in pieces, none of which is on two pages."""
    for page in pages_of(text):
        for begin, end in _cut(text, page):
            yield Passage(number, page.number, begin, end)


def _fused(by_words: Sequence[int], by_meaning: Sequence[int]) -> Sequence[int]:
    """What is high up in both comes first; of the same the first."""
    if not by_meaning:
        return by_words
    scores: dict[int, float] = defaultdict(float)
    for order in (by_words, by_meaning):
        for rank, at in enumerate(order, 1):
            scores[at] += 1 / (_SMOOTH + rank)
    return sorted(scores, key=lambda at: (-scores[at], at))


def _cut(text: str, page: Page) -> Iterator[tuple[int, int]]:
    begin = page.begin
    while page.end - begin > LONGEST:
        end = _break(text, begin + SHORTEST, begin + LONGEST)
        yield from _trimmed(text, begin, end)
        begin = _break(text, end - OVERLAP, end - OVERLAP // 2)
    yield from _trimmed(text, begin, page.end)


def _break(text: str, lowest: int, highest: int) -> int:
    """Between two paragraphs, else sentences, else lines, else words."""
    for signs in _BREAKS:
        found = max(text.rfind(sign, lowest, highest) + len(sign) * (sign in text[lowest:highest]) for sign in signs)
        if found > lowest:
            return found
    return highest


def _trimmed(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Without blanks around it; nothing where there are only blanks."""
    piece = text[begin:end]
    if stripped := piece.strip():
        start = begin + len(piece) - len(piece.lstrip())
        yield start, start + len(stripped)


def _scores(folded: Sequence[str], question: str) -> dict[int, float]:
    """Those of the pieces that have any of its words."""
    scores: dict[int, float] = defaultdict(float)
    usual = sum(map(len, folded)) / max(len(folded), 1)
    for term in _terms(question):
        having = [at for at, words in enumerate(folded) if term.sign in words]
        if len(folded) >= FEWEST_PIECES and len(having) > COMMON * len(folded):
            continue
        counts = {at: count for at in having if (count := term.count(folded[at]))}
        weight = log(1 + (len(folded) - len(counts) + 0.5) / (len(counts) + 0.5))
        for at, count in counts.items():
            length = 1 - _BY_LENGTH + _BY_LENGTH * len(folded[at]) / usual
            scores[at] += weight * count * (_SATURATION + 1) / (count + _SATURATION * length)
    return scores


def _terms(question: str) -> list[_Term]:
    if len(question) > _MOST_ASKED:
        question = f"{question[: _MOST_ASKED // 2]}\n\n{question[-_MOST_ASKED // 2 :]}"
    found = list(dict.fromkeys(term for token in search_terms.tokens_of(question) for term in _of_token(token)))
    half = MOST_TERMS // 2
    return found if len(found) <= MOST_TERMS else [*found[:half], *found[-half:]]


def _of_token(token: str) -> list[_Term]:
    if search_terms.runs_on(token):
        return [_Term(sign, runs_on=True) for sign in (map("".join, pairwise(token)) if len(token) > 1 else token)]
    word = token[: search_terms.WORD_LENGTH]
    stem = _ENDING.sub("", word)
    has_ending = len(stem) >= _SHORTEST_STEM and word.isalpha()
    return [_Term(stem if has_ending else word, runs_on=False, ending=has_ending)]


def _fitting(texts: Sequence[str], ranked: Iterator[Passage] | Sequence[Passage], budget: int) -> list[Passage]:
    """The first of them, as many as fit. What overlaps becomes one."""
    taken = list[Passage]()
    for piece in ranked:
        budget -= _AROUND_TOKENS + estimate_tokens(texts[piece.text][piece.begin : piece.end])
        if budget < 0:
            break
        taken.append(piece)
    merged = list[Passage]()
    for piece in sorted(taken, key=lambda each: (each.text, each.begin)):
        before = merged[-1] if merged else None
        if before and before[:2] == piece[:2] and piece.begin <= before.end:
            merged[-1] = before._replace(end=max(before.end, piece.end))
        else:
            merged.append(piece)
    return merged
