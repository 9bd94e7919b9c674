"""Office files, told by their parts, and the words of spreadsheets."""

import codecs
import importlib
import io
from itertools import islice
from typing import Any

from flask_app.domain import files
from flask_app.services.file_reading import archives, slides, word
from flask_app.services.file_reading.contents import Contents, Unreadable, Words, document

_DOCUMENT, _SLIDES, _SHEETS = "word/document.xml", "ppt/presentation.xml", "xl/workbook.xml"
_LIBRARIES = ((_DOCUMENT, "docx"), (_SLIDES, "pptx"), (_SHEETS, "python_calamine"))


def load(content: bytes) -> None:
    """The libraries that may be needed: the names of its parts stand in a zip as they are."""
    codecs.lookup("cp437")  # of names in a zip that are not in UTF-8
    for part, library in _LIBRARIES:
        if part.encode() in content:
            importlib.import_module(library)


def read(content: bytes) -> Contents:
    """Of a zip. Raises Unreadable, file_kind_unknown where it is none of these; one with macros is none of them."""
    package = archives.opened(content)
    for part, content_type, reader in (
        (_DOCUMENT, files.WORD_TYPE, word.read),
        (_SLIDES, files.SLIDES_TYPE, slides.read),
        (_SHEETS, files.SHEETS_TYPE, _sheets),
    ):
        if part in package.names and f"{content_type}.main+xml" in package.types:
            return _whatever_it_raises(reader, content)
    raise Unreadable("file_kind_unknown")


def _whatever_it_raises(reader: Any, content: bytes) -> Contents:
    try:
        read_contents: Contents = reader(content)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # the libraries name no errors of theirs for a file that is not as it should be
        raise Unreadable from error
    return read_contents


def _sheets(content: bytes) -> Contents:
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = list(islice(book.sheet_names, files.MOST_PAGES + 1))
    if len(names) > files.MOST_PAGES:
        raise Unreadable("file_too_long")
    words, marked = Words(), Words()
    for name in names:
        marked.add(f"[sheet {name}]")
        for row in book.get_sheet_by_name(name).iter_rows():
            line = "\t".join(_cell(value) for value in row).rstrip()
            if line:
                words.add(line)
                marked.add(line)
    return document(files.SHEETS_TYPE, words, marked.whole(), len(names))


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())
