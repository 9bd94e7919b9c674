"""The pages of a document's words, as `services/file_reading` marks them; slides and sheets count as pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask_app.domain import files

# A page of a PDF without words is marked as such, as `files.page_without_words` says.
_MARK = re.compile(
    r"\[(?:(?:page|slide) (?P<number>\d{1,6})|page (?P<bare>\d{1,6}): no words|sheet (?P<name>.{0,100}))\]$", re.M
)
_PART = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
_DASHES = str.maketrans("–—−~～－", "------")
_COMMAS = re.compile(r"[,;，、；\s]+")
LONGEST_CHOICE = 200  # characters that a person writes
LONGEST_WRITTEN = 2 * LONGEST_CHOICE  # as it is written down then, and comes again with another question


@dataclass(frozen=True, slots=True)
class Page:
    """Its words stand from `begin` up to `end`; `number` is None where the document has no pages, `name` a sheet's."""

    number: int | None
    begin: int
    end: int
    name: str = ""


def pages_of(text: str) -> list[Page]:
    """All of a text; one page without a number where none is marked.

    Marks come one after the other: another number in a line like one is a part of the words.
    """
    marks: list[re.Match[str]] = []
    for mark in _lines_like_marks(text):
        number = mark["number"] or mark["bare"]
        if number is None or int(number) == len(marks) + 1:
            marks.append(mark)
        if not marks or len(marks) == files.MOST_PAGES:
            break
    if not marks:
        return [Page(None, 0, len(text))]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return [
        Page(number, min(mark.end() + 1, end), end, mark["name"] or "")
        for number, (mark, end) in enumerate(zip(marks, ends, strict=True), 1)
    ]


def _lines_like_marks(text: str) -> Iterator[re.Match[str]]:
    """All of a kind: none where a text does not begin with one. Each turn of a conversation looks for them."""
    if not _MARK.match(text):
        return
    kind = text[: text.index(" ") + 1]
    at = 0
    while at >= 0:
        if mark := _MARK.match(text, at):
            yield mark
        at = text.find(f"\n{kind}", at) + 1 or -1


def chosen(words: str, count: int) -> list[tuple[int, int]]:
    """What somebody wrote, as in "3-7, 12": first and last pages, in order, none of them twice.

    Raises ValueError for what is none of `count` pages.
    """
    ends = (end.strip() for end in words.translate(_DASHES).split("-"))
    plain = "-".join(ends).strip(" \t\r\n,;，、；")
    if not plain:
        raise ValueError(words)
    ranges = sorted(_range(part, count) for part in _COMMAS.split(plain))
    merged = ranges[:1]
    for first, last in ranges[1:]:
        if first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def written(ranges: Sequence[tuple[int, int]]) -> str:
    """The same for everybody who means the same: "3-7, 12"."""
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _range(part: str, count: int) -> tuple[int, int]:
    found = _PART.fullmatch(part)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= first <= last <= count:
        raise ValueError(part)
    return first, last
