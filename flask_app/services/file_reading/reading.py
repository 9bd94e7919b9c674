"""A file's kind, by its content alone, and what it comes to."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask_app.services.file_reading import kinds
from flask_app.services.file_reading.contents import Contents, Unreadable

Reader = Callable[[bytes], Contents]
# What is known and not read, each with a word of its own for what to do.
_REFUSED = (
    (kinds.is_protected, "file_protected"),
    (kinds.is_old_office, "file_old_office"),
    (kinds.is_heic, "picture_heic"),
)


def told(content: bytes, reader: Reader) -> tuple[dict[str, Any], list[bytes]]:
    """What the process says of it, and its parts: the text, then what is kept instead of the file, if anything."""
    try:
        found = read(content, reader)
    except Unreadable as error:
        return {"error": error.code}, []
    text = found.text.encode("utf-8", "ignore")
    names = ("kind", "content_type", "width", "height", "pages")
    about: dict[str, Any] = {name: getattr(found, name) for name in names}
    about |= {"text": len(text), "content": None if found.content is None else len(found.content)}
    return about, [text, found.content or b""]


def read(content: bytes, reader: Reader) -> Contents:
    """Raises Unreadable."""
    if not content:
        raise Unreadable("file_empty")
    for is_it, code in _REFUSED:
        if is_it(content):
            raise Unreadable(code)
    return reader(content)


def reader_of(content: bytes, language: str) -> Reader:
    """What reads it. Only the libraries for that are loaded, and here: later on nothing can be opened."""
    if kinds.is_picture(content):
        from flask_app.services.file_reading import pictures

        return pictures.read
    if kinds.is_zip(content):
        from flask_app.services.file_reading import office

        office.load(content)
        return office.read
    if kinds.is_pdf(content):
        from flask_app.services.file_reading import pdfs

        return pdfs.read
    if kinds.is_rich_text(content):
        from flask_app.services.file_reading import rich_text

        rich_text.load(content)
        return rich_text.read
    from flask_app.services.file_reading import encodings, markup, texts

    encodings.load()
    if kinds.is_html(content):
        markup.load(content)
        return partial(markup.read, language=language)
    return partial(texts.read, language=language)
