"""Titles of conversations: the first words of a question, and what of a model's reply can be one."""

import re
import unicodedata

LENGTH = 60
MOST_READ = 500  # characters of a reply: a title stands at its beginning

_ZERO_WIDTH = "\u200c\u200d"  # joiners, which emoji and some scripts are written with
_DROPPED = {"Cf", "Co", "Cs"}  # marks of direction and the like, private characters, halves of characters
_NAMED = re.compile(r"(?:title|标题)\s*[:：]\s*", re.IGNORECASE)
_MARKS = re.compile(r"[#>*+-]+\s+")
_MARKED = re.compile(r"(\*\*|\*|~~|`)(?=\S)(.+?)(?<=\S)\1")
_WRAPPERS = (
    *(("__", "__"), ("_", "_"), ('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("„", "“"), ("«", "»"), ("‹", "›")),
    *(("「", "」"), ("『", "』"), ("《", "》")),
)
_ENDS = " .。．,，、;；:："


def first_words(text: str) -> str:
    """A conversation's first title: the beginning of its first message, on one line."""
    return _shortened(" ".join(text.split()))


def cleaned(reply: str) -> str | None:
    """The title that a model's reply gives, on one line: without thoughts, Markdown, quotes around it, and what
    cannot be seen. None where there is none."""
    for line in reply.rpartition("</think>")[2][:MOST_READ].splitlines():
        title = _bare(" ".join(_visible(line).split()))
        if title.startswith("<think>"):
            return None
        if any(each.isalnum() for each in title):
            return _shortened(title)
    return None


def _visible(line: str) -> str:
    return "".join(_seen(each) for each in line)


def _seen(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cc":
        return " "
    return "" if kind in _DROPPED and character not in _ZERO_WIDTH else character


def _bare(line: str) -> str:
    """One layer after the other, in whatever order they lie."""
    before = None
    while line != before:
        before = line
        line = _MARKED.sub(r"\2", line)
        for prefix in (_MARKS, _NAMED):
            if found := prefix.match(line):
                line = line[found.end() :]
        line = _unwrapped(line.rstrip(_ENDS))
    return line


def _unwrapped(line: str) -> str:
    """Quotes that begin and end further inside are not around it."""
    for opening, closing in _WRAPPERS:
        inner = line.removeprefix(opening).removesuffix(closing)
        is_around = len(inner) == len(line) - len(opening) - len(closing)
        if is_around and opening not in inner and closing not in inner:
            return inner.strip()
    return line


def _shortened(line: str) -> str:
    return line if len(line) <= LENGTH else line[: LENGTH - 1].rstrip() + "…"
