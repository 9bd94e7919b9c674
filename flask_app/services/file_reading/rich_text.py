"""The words of an RTF file: its paragraphs and tables, without headers, footers, notes and what is hidden."""

import codecs
import re
from contextlib import suppress

from flask_app.domain import files
from flask_app.services.file_reading.contents import Contents, Unreadable, Words, document

_PAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_USUAL = "cp1252"
_RAW = re.compile(rb"[\x80-\xff]")  # letters that should be escaped, as some programs write them
_PICTURE = re.compile(r"\{\\pict(?![a-z])")
_FIELD = re.compile(r"\{\\field(?![a-z])")
_BARS = re.compile(r"\|$", re.MULTILINE)  # behind the last cell of a row
_UNPRINTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad]")
_GAPS = re.compile(r"\n{3,}")


def load(content: bytes) -> None:
    """All that reading it needs: nothing can be opened later on."""
    from striprtf import striprtf

    for encoding in {_page(content), _USUAL, "utf-8", "utf-16-le", *striprtf.charset_map.values()}:
        with suppress(LookupError):
            codecs.lookup(encoding)


def read(content: bytes) -> Contents:
    """Raises Unreadable: file_unreadable, file_too_long, file_without_words."""
    words = Words()
    words.add(_text(content))
    return document(files.TEXT_TYPE, words, words.whole())


def _text(content: bytes) -> str:
    from striprtf.striprtf import rtf_to_text

    if b"\\bin" not in content:  # what follows that is no text, and of a length that is told
        content = _RAW.sub(lambda raw: b"\\'%02x" % raw[0][0], content)
    marked = _PICTURE.sub(files.PICTURE_LEFT + r"{\\pict", content.decode("latin-1"))
    marked = _FIELD.sub(r"{\\field{}", marked)  # their addresses the library seeks with the square of their number
    try:
        text: str = rtf_to_text(marked, encoding=_page(content), errors="replace")  # type: ignore[no-untyped-call]
    except MemoryError:
        raise
    except Exception as error:  # the library names no errors of its own
        raise Unreadable from error
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")  # halves of a character, together
    return _GAPS.sub("\n\n", _UNPRINTED.sub("", _BARS.sub("", whole))).strip("\n")


def _page(content: bytes) -> str:
    """Of the encodings that Windows has, the one that it says it is in."""
    named = _PAGE.search(content[:4096])
    encoding = f"cp{named[1].decode()}" if named else _USUAL
    with suppress(LookupError):
        return codecs.lookup(encoding).name
    return _USUAL
