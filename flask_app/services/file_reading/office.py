"""The words of Word documents, slides and spreadsheets."""

import codecs
import importlib
import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

from flask_app.domain import files
from flask_app.services.file_reading import archives
from flask_app.services.file_reading.contents import Contents, Unreadable, Words, document

_WORD_PART = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHOICE_PART = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DOCUMENT, _SLIDES, _SHEETS = "word/document.xml", "ppt/presentation.xml", "xl/workbook.xml"
_LIBRARIES = ((_DOCUMENT, "docx"), (_SLIDES, "pptx"), (_SHEETS, "python_calamine"))
# What stands around paragraphs, rows and cells, and is nothing by itself.
_AROUND = {f"{_WORD_PART}{name}" for name in ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo")}
_LEFT_OUT = {f"{_WORD_PART}{name}" for name in ("pPr", "rPr", "sdtPr", "del", "moveFrom")}
_SIGNS = {
    f"{_WORD_PART}{name}": sign for name, sign in (("tab", "\t"), ("br", "\n"), ("cr", "\n"), ("noBreakHyphen", "-"))
}


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
        (_DOCUMENT, files.WORD_TYPE, _document),
        (_SLIDES, files.SLIDES_TYPE, _slides),
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


def _document(content: bytes) -> Contents:
    import docx

    words = Words()
    for block in _blocks(docx.Document(io.BytesIO(content)).element.body):
        words.add(block)
    return document(files.WORD_TYPE, words, words.whole())


def _blocks(parent: Any) -> Iterator[str]:
    """Paragraphs, and rows of tables with their cells parted by bars, in their order."""
    for child in _children(parent):
        if child.tag == f"{_WORD_PART}p":
            yield "".join(_said(child))
        elif child.tag == f"{_WORD_PART}tbl":
            for row in _children(child, "tr"):
                yield " | ".join(" ".join(_blocks(cell)).strip() for cell in _children(row, "tc"))


def _children(parent: Any, name: str | None = None) -> Iterator[Any]:
    """Also those in a control, or another part that stands around them."""
    for child in parent.iterchildren():
        if child.tag in _AROUND:
            yield from _children(child, name)
        elif name is None or child.tag == f"{_WORD_PART}{name}":
            yield child


def _said(parent: Any) -> Iterator[str]:
    """The words within a paragraph as it is now; a text box stands on lines of its own, once."""
    for child in parent.iterchildren():
        if child.tag == f"{_WORD_PART}t":
            yield child.text or ""
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag == f"{_WORD_PART}txbxContent":
            yield "".join(f"\n{block}" for block in _blocks(child))
        elif child.tag == f"{_CHOICE_PART}AlternateContent":  # the same in several forms, the best first
            yield from _said(next(child.iterchildren(), child))
        elif child.tag not in _LEFT_OUT:
            yield from _said(child)


def _slides(content: bytes) -> Contents:
    import pptx

    shown = pptx.Presentation(io.BytesIO(content)).slides
    if len(shown) > files.MOST_PAGES:
        raise Unreadable("file_too_long")
    words, marked = Words(), Words()
    for number, slide in enumerate(shown, 1):
        marked.add(f"[slide {number}]")
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        for said in (*_shapes(slide.shapes), *((notes.text,) if notes is not None else ())):
            words.add(said)
            marked.add(said)
    return document(files.SLIDES_TYPE, words, marked.whole(), len(shown))


def _shapes(shapes: Any) -> Iterator[str]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        elif shape.has_text_frame and shape.text_frame.text.strip():
            yield shape.text_frame.text
        elif getattr(shape, "has_table", False):
            for row in shape.table.rows:
                yield " | ".join(cell.text.strip() for cell in row.cells)


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
