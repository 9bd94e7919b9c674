"""Text files, in whatever encoding they were written."""

import codecs

import charset_normalizer

from flask_app.domain import files
from flask_app.services.file_reading.contents import Contents, Unreadable

# What begins with one of these says so; the longer mark first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GUESSED = ["gb18030", "big5", "cp932", "euc_jp", "euc_kr", "cp1252", "cp1251"]
_LOOKED_AT = 1 << 16  # bytes by which it is guessed
_PRINTED = frozenset("\t\n\r\f\x0b\x1b\x08\x85\ufeff")  # controls that stand in texts, escapes of terminals among them


def read(content: bytes) -> Contents:
    """Raises Unreadable: file_kind_unknown for what is no text, file_too_long, file_without_words."""
    text = _decoded(content)
    if any(_is_control(each) for each in set(text)):
        raise Unreadable("file_kind_unknown")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text.encode("utf-8", "ignore")) > files.MOST_TEXT_BYTES:
        raise Unreadable("file_too_long")
    if not text.strip():
        raise Unreadable("file_without_words")
    return Contents(kind=files.TEXT, content_type=files.TEXT_TYPE, text=text)


def _decoded(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strictly(content, encoding)
    if b"\0" in content:
        raise Unreadable("file_kind_unknown")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _strictly(content, _guessed(content))


def _guessed(content: bytes) -> str:
    best = charset_normalizer.from_bytes(
        content[:_LOOKED_AT].rpartition(b"\n")[0] or content, cp_isolation=GUESSED
    ).best()
    if best is None:
        raise Unreadable("file_kind_unknown")
    return best.encoding


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable("file_kind_unknown") from error


def _is_control(each: str) -> bool:
    return (each < " " or "\x7f" <= each < "\xa0" or "\ud800" <= each < "\ue000") and each not in _PRINTED
