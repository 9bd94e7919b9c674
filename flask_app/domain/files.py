"""Files in messages: how large they may be, what they are called, and how a model is shown them."""

import html
import math
import re

from flask_app.domain import file_names

PICTURE, DOCUMENT, TEXT = "picture", "document", "text"
EXPIRED, LEFT_OUT = "expired", "left_out"  # why a content is not here

JPEG_TYPE, PNG_TYPE, PDF_TYPE, TEXT_TYPE = "image/jpeg", "image/png", "application/pdf", "text/plain"
_OFFICE = "application/vnd.openxmlformats-officedocument."
WORD_TYPE = f"{_OFFICE}wordprocessingml.document"
SLIDES_TYPE = f"{_OFFICE}presentationml.presentation"
SHEETS_TYPE = f"{_OFFICE}spreadsheetml.sheet"
TYPES = (JPEG_TYPE, PNG_TYPE, PDF_TYPE, WORD_TYPE, SLIDES_TYPE, SHEETS_TYPE, TEXT_TYPE)  # of what is kept

MOST_MB, MOST_TEXT_MB = 20, 2
MOST_BYTES = MOST_MB << 20
MOST_TEXT_BYTES = MOST_TEXT_MB << 20
MOST_PAGES = 2000
MOST_AT_ONCE = 10  # in a message
PIECE_BYTES = 1 << 19
MOST_PICTURES, MOST_PICTURES_BYTES = 20, 12 << 20  # of a branch's pictures together, as they are kept
MOST_PICTURE_BYTES = MOST_PICTURES_BYTES // MOST_AT_ONCE  # of each: those of a question always fit

USUAL_QUOTA_MB, MOST_QUOTA_MB = 200, 1_000_000
MOST_ENDING = 10
NAMELESS = "file"

# What stands in a document's text for what is not read of it.
PICTURE_LEFT, FORMULA_LEFT = "[picture]", "[formula]"
LEFT = re.compile(r"\[(?:picture|formula|page \d+: no words)\]")

_LONGEST_EDGE, _SHORTEST_EDGE, _TILE = 2048, 768, 512  # pixels
_TOKENS, _TOKENS_OF_TILE = 2_833, 5_667

# Blanks are never given back (`*+`): a long run of them takes no longer than its length.
_TAG, _DISARMED = re.compile(r"<(\s*+/?+\s*+document)", re.IGNORECASE), r"<\\\1"
_PAGE_TAG = re.compile(r"<(\s*+/?+\s*+page)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def named(words: str) -> str:
    """What a file is called, in a form that is harmless everywhere: its ending stays, of a path only the last part."""
    last = words.replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    if not dot or not ending.isalnum() or len(ending) > MOST_ENDING:
        stem, ending = last, ""
    name = file_names.safe(stem) or NAMELESS
    return f"{name}.{ending}" if ending else name


def document(name: str, pages: int | None, text: str) -> str:
    """A document as it stands in a prompt. No text of its own ends it, or begins another, however it is spelt."""
    return _enclosed(name, pages, _TAG.sub(_DISARMED, text))


def part_of_document(name: str, pages: int | None, told: str, shown: str) -> str:
    """The same of one of which only some stands there, made of `page`; `shown` says what."""
    return _enclosed(name, pages, told, f' shown="{shown}"')


def page(number: int | None, name: str, text: str) -> str:
    """A page of it, or what is shown of that; nor does its text end it."""
    about = "" if number is None else f' number="{number}"'
    named = f' name="{_attribute(name)}"' if name else ""
    return f"<page{about}{named}>\n{_PAGE_TAG.sub(_DISARMED, _TAG.sub(_DISARMED, text))}\n</page>"


def _enclosed(name: str, pages: int | None, told: str, more: str = "") -> str:
    counted = "" if pages is None else f' pages="{pages}"'
    return f'<document name="{_attribute(name)}"{counted}{more}>\n{told}\n</document>'


def _attribute(words: str) -> str:
    return html.escape(_CONTROL.sub(" ", words))


def page_without_words(number: int) -> str:
    return f"[page {number}: no words]"


def omits(kind: str, text: str) -> bool:
    """Is something of a document left out of its text?"""
    return kind == DOCUMENT and LEFT.search(text) is not None


def most_tokens(width: int, height: int) -> int:
    """More than a picture adds to a prompt: what OpenAI's documentation of gpt-4o-mini says, which counts the most.

    It is made to fit into 2,048 pixels, and its shorter edge into 768; then each square of 512 counts.
    """
    scale = min(1, _LONGEST_EDGE / max(width, height), _SHORTEST_EDGE / min(width, height))
    tiles = math.prod(math.ceil(edge * scale / _TILE) for edge in (width, height))
    return _TOKENS + _TOKENS_OF_TILE * tiles


def unseen(name: str) -> str:
    """What stands for a picture that is not shown."""
    return f"[picture: {name}]"


def missing(name: str) -> str:
    """What stands for a file whose content is not here: not any more, or it never was."""
    return f"[file that is not available: {name}]"
