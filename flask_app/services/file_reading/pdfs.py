"""The words of PDFs, page by page."""

from collections.abc import Iterator
from contextlib import suppress
from ctypes import c_float

import pypdfium2
import pypdfium2.raw

from flask_app.domain import files
from flask_app.services.file_reading.contents import Contents, Unreadable, Words, document

LEAST_SHARE, MOST_SHARE = 0.01, 0.85  # of a page, that a picture beside its words takes
MOST_PICTURES, MOST_OBJECTS = 20, 2000  # of a page: as many as are told of, and looked at


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
        text, pictures = _page(opened, number)
        words.add(text)
        said = "\n".join((f"[page {number + 1}]", text, *[files.PICTURE_LEFT] * pictures))
        marked.add(said if text else files.page_without_words(number + 1))
    return document(files.PDF_TYPE, words, marked.whole(), pages)


def _fill_in(opened: pypdfium2.PdfDocument, number: int) -> None:
    """What stands in its fields becomes words of the page, which is read as it is where that fails."""
    page = opened[number]
    try:
        with suppress(pypdfium2.PdfiumError):
            page.flatten()
    finally:
        page.close()


def _page(opened: pypdfium2.PdfDocument, number: int) -> tuple[str, int]:
    """Its words, and how many pictures stand beside them."""
    page = opened[number]
    try:
        text = page.get_textpage()
        try:
            said = "\n".join(str(text.get_text_bounded()).splitlines()).strip()
        finally:
            text.close()
        return said, _pictures(page) if said else 0
    finally:
        page.close()


def _pictures(page: pypdfium2.PdfPage) -> int:
    """No ornament, and none below all the words: that is a background, or a scan whose words are there."""
    whole = max(1.0, page.get_width() * page.get_height())
    shares = (_area(each) / whole for each in _images(page))
    return min(MOST_PICTURES, len([share for share in shares if LEAST_SHARE < share < MOST_SHARE]))


def _images(page: pypdfium2.PdfPage) -> Iterator[pypdfium2.raw.FPDF_PAGEOBJECT]:
    for index in range(min(MOST_OBJECTS, pypdfium2.raw.FPDFPage_CountObjects(page))):
        drawn = pypdfium2.raw.FPDFPage_GetObject(page, index)
        if pypdfium2.raw.FPDFPageObj_GetType(drawn) == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE:
            yield drawn


def _area(drawn: pypdfium2.raw.FPDF_PAGEOBJECT) -> float:
    left, bottom, right, top = (c_float() for _ in range(4))
    pypdfium2.raw.FPDFPageObj_GetBounds(drawn, left, bottom, right, top)
    return max(0.0, right.value - left.value) * max(0.0, top.value - bottom.value)
