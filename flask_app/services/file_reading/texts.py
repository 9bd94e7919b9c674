"""Text files, in whatever encoding they were written."""

import codecs

from flask_app.domain import files
from flask_app.services.file_reading import encodings
from flask_app.services.file_reading.contents import Contents, Unreadable

MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What begins with one of these says so, as it may with that of UTF-8; the longer mark first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PRINTED = frozenset("\t\n\r\f\x0b\x1b\x08\x85\ufeff")  # controls that stand in texts, escapes of terminals among them
_REPLACED = "\ufffd"
_MOST_CUT = 3  # bytes of a character that is cut off at either end
_LEAST_GOOD = 20  # letters that are not of ASCII, for each byte that is bad
_LEAST_AROUND = 4  # of them for each byte that is left of a character, which may be one of another encoding
_FOLLOWING = bytes(range(0x80, 0xC0))  # in UTF-8 within a character alone
_LAST_FIRST = 0xF4


def read(content: bytes, language: str) -> Contents:
    """As a reader of that language most likely means it.

    Raises Unreadable: file_kind_unknown for what is no text, file_too_long, file_without_words.
    """
    text = decoded(content, language).replace("\r\n", "\n").replace("\r", "\n")
    if len(text.encode("utf-8", "ignore")) > files.MOST_TEXT_BYTES:
        raise Unreadable("file_too_long")
    if not text.strip():
        raise Unreadable("file_without_words")
    return Contents(kind=files.TEXT, content_type=files.TEXT_TYPE, text=text)


def decoded(content: bytes, language: str) -> str:
    """Raises Unreadable("file_kind_unknown")."""
    return printed(_decoded(content, language))


def printed(text: str) -> str:
    """The same. Raises Unreadable("file_kind_unknown") where something in it stands in no text."""
    if any(_is_control(each) for each in set(text)):
        raise Unreadable("file_kind_unknown")
    return text


def _decoded(content: bytes, language: str) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strictly(content, encoding)
    if b"\0" in content:
        raise Unreadable("file_kind_unknown")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _nearly(content) or _strictly(content, encodings.guess(content, language))


def _nearly(content: bytes) -> str | None:
    """UTF-8 of which very few bytes are bad, or which is cut off within a character: those are replaced."""
    start = len(content[: _MOST_CUT + 1]) - len(content[: _MOST_CUT + 1].lstrip(_FOLLOWING))
    end = _cut_off(content)
    text = content[start : len(content) - end].decode("utf-8", "replace")
    bad = text.count(_REPLACED) - content.count(_REPLACED.encode())
    good = len(text) - len(text.encode("ascii", "ignore")) - text.count(_REPLACED)
    around = start + bool(end)
    if start > _MOST_CUT or around * _LEAST_AROUND > good or bad * _LEAST_GOOD > good:
        return None
    return _REPLACED * start + text + _REPLACED * bool(end)


def _cut_off(content: bytes) -> int:
    """How many of its last bytes are the beginning of a character."""
    for length, first in ((1, 0xC2), (2, 0xE0), (3, 0xF0)):
        last = content[-length:]
        if first <= last[0] <= _LAST_FIRST and not last[1:].lstrip(_FOLLOWING):
            return length
    return 0


def _strictly(content: bytes, encoding: str | None) -> str:
    if encoding is None:
        raise Unreadable("file_kind_unknown")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable("file_kind_unknown") from error


def _is_control(each: str) -> bool:
    return (each < " " or "\x7f" <= each < "\xa0" or "\ud800" <= each < "\ue000") and each not in _PRINTED
