"""The words of PDFs, page by page."""

from contextlib import suppress

import pypdfium2
import pypdfium2.raw

from flask_app.domain import files
from flask_app.services.file_reading.contents import Contents, Unreadable, Words, document


def read(content: bytes) -> Contents:
    """Raises Unreadable: file_protected, file_without_words, file_too_long, file_unreadable."""
    try:
        opened = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        is_protected = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD
        raise Unreadable("file_protected" if is_protected else "file_unreadable") from error
    try:
        return _read(opened)
    except pypdfium2.PdfiumError as error:
        raise Unreadable from error
    finally:
        opened.close()


def _read(opened: pypdfium2.PdfDocument) -> Contents:
    is_form = opened.init_forms()
    pages = len(opened)
    if pages > files.MOST_PAGES:
        raise Unreadable("file_too_long")
    words, marked = Words(), Words()
    for number in range(pages):
        if is_form:
            _fill_in(opened, number)
        text = _text(opened, number)
        words.add(text)
        marked.add(f"[page {number + 1}]\n{text}")
    return document(files.PDF_TYPE, words, marked.whole(), pages)


def _fill_in(opened: pypdfium2.PdfDocument, number: int) -> None:
    """What stands in its fields becomes words of the page, which is read as it is where that fails."""
    page = opened[number]
    try:
        with suppress(pypdfium2.PdfiumError):
            page.flatten()
    finally:
        page.close()


def _text(opened: pypdfium2.PdfDocument, number: int) -> str:
    page = opened[number]
    try:
        text = page.get_textpage()
        try:
            return "\n".join(str(text.get_text_bounded()).splitlines()).strip()
        finally:
            text.close()
    finally:
        page.close()
