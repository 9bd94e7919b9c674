"""How a document goes with a question: its words whole, chosen pages of them, or the passages that fit the question."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from flask_app.domain import document_pages, files, passages
from flask_app.domain.document_pages import Page
from flask_app.domain.passages import Passage

WHOLE, PAGES, SEARCH = "whole", "pages", "search"
MOST_TOKENS = 8_000  # of all passages that go with a question
_SHARE = 4  # of the model's context, where that is less
_FEWEST_TOKENS = 800  # of one document's: enough for a passage in any script
_WINDOW = re.compile(r"(\d{1,8})-(\d{1,8})")
_MOST_WRITTEN = 50_000  # characters
_LEFT_OUT = "\n[…]\n"
_CITE = (
    "Name the page of what you use, as (p. 12); in Chinese as (第 12 页), in Japanese as (12ページ). "
    "What is on no page shown here you have not read: say so where it matters."
)
_OF_PAGES = f"[Only the chosen pages of this document are shown. {_CITE}]"
_OF_PASSAGES = f"[Only passages of this document are shown: those that fit the question, or its beginning. {_CITE}]"
_WITHOUT_PAGES = (
    "[Only passages of this document are shown: those that fit the question, or its beginning. It has no pages. "
    "What is in none of them you have not read: say so where it matters.]"
)


class Way(NamedTuple):
    """`parts` are the pages ("3-7, 12"), or where in the words the passages stand ("0-1200 5000-6100").

    `found_by` is "meaning" where these were found by vectors too, or why not: "budget", "late", "failed".
    """

    name: str = WHOLE
    parts: str = ""
    found_by: str | None = None


def budget(context_tokens: int | None, documents: int) -> int:
    """How many tokens the passages of each document may have, where so many are searched for a question."""
    all_of_them = min(MOST_TOKENS, context_tokens // _SHARE) if context_tokens else MOST_TOKENS
    return max(all_of_them // max(documents, 1), _FEWEST_TOKENS)


def places(found: Sequence[Passage]) -> str:
    """Of one text, as they are written down."""
    return " ".join(f"{each.begin}-{each.end}" for each in found)


def known(name: str, parts: str) -> Way:
    """What somebody's file says of one; whole where that is nothing that could have been said here."""
    if len(parts) > _MOST_WRITTEN:
        return Way()
    if name == SEARCH:
        return Way(SEARCH, " ".join(f"{begin}-{end}" for begin, end in _windows(parts)))
    if name == PAGES:
        try:
            return Way(PAGES, document_pages.written(document_pages.chosen(parts, files.MOST_PAGES)))
        except ValueError:
            return Way()
    return Way()


def document(name: str, pages: int | None, text: str, way: Way) -> str:
    """As a model is told it."""
    if way.name == WHOLE:
        return files.document(name, pages, text)
    found = document_pages.pages_of(text)
    if way.name == PAGES:
        told, shown = _OF_PAGES, list(_of_pages(found, way.parts))
    else:
        told = _OF_PASSAGES if found[0].number else _WITHOUT_PAGES
        shown = list(_of_windows(found, way.parts)) or passages.first(text, MOST_TOKENS)
    names = {page.number: page.name for page in found}
    return files.part_of_document(name, pages, f"{told}\n{_words(text, shown, names)}", _shown(way))


def _shown(way: Way) -> str:
    return way.parts if way.name == PAGES else "passages"


def _of_pages(pages: Sequence[Page], parts: str) -> Iterator[Passage]:
    wanted = document_pages.chosen(parts, files.MOST_PAGES)
    for page in pages:
        if page.number and any(first <= page.number <= last for first, last in wanted):
            yield Passage(0, page.number, page.begin, page.end)


def _of_windows(pages: Sequence[Page], parts: str) -> Iterator[Passage]:
    at = 0
    for begin, end in _windows(parts):
        while at + 1 < len(pages) and pages[at + 1].begin <= begin:
            at += 1
        yield Passage(0, pages[at].number, begin, end)


def _windows(parts: str) -> Iterator[tuple[int, int]]:
    """Those that stand in order."""
    last = 0
    for part in parts.split():
        if found := _WINDOW.fullmatch(part):
            begin, end = int(found[1]), int(found[2])
            if last <= begin < end:
                last = end
                yield begin, end


def _words(text: str, shown: Sequence[Passage], names: Mapping[int | None, str]) -> str:
    """Page by page; what is left out between two passages of one is marked, and a page of a PDF without any."""
    told = list[str]()
    for number, some in groupby(shown, key=lambda each: each.page):
        words = _LEFT_OUT.join(text[each.begin : each.end].strip() for each in some)
        name = names.get(number, "")
        bare = files.page_without_words(number) if number and not name else ""
        told.append(files.page(number, name, words or bare))
    return "\n".join(told)
