"""The words of slides, with formulas as lines and what stands for pictures."""

import io
from collections.abc import Iterator
from typing import Any

from flask_app.domain import files
from flask_app.services.file_reading import formulas
from flask_app.services.file_reading.contents import Contents, Unreadable, Words, document

_SLIDE = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_FORMULA = "{http://schemas.microsoft.com/office/drawing/2010/main}m"


def read(content: bytes) -> Contents:
    """Raises Unreadable, and whatever the library does."""
    import pptx

    shown = pptx.Presentation(io.BytesIO(content)).slides
    if len(shown) > files.MOST_PAGES:
        raise Unreadable("file_too_long")
    words, marked = Words(), Words()
    for number, slide in enumerate(shown, 1):
        marked.add(f"[slide {number}]")
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        for said in (*_shapes(slide.shapes.element), *((notes.text,) if notes is not None else ())):
            words.add(said)
            marked.add(said)
    return document(files.SLIDES_TYPE, words, marked.whole(), len(shown))


def _shapes(parent: Any) -> Iterator[str]:
    """What stands in each shape that says something, also in groups; of the same in several forms the best."""
    for shape in parent.iterchildren("*"):
        if shape.tag == f"{_SLIDE}grpSp":
            yield from _shapes(shape)
        elif shape.tag == _CHOICE:
            yield from _shapes(next(shape.iterchildren("*"), shape))
        elif shape.tag == f"{_SLIDE}sp":
            if (said := _paragraphs(shape.find(f"{_SLIDE}txBody"))).strip():
                yield said
        elif shape.tag == f"{_SLIDE}graphicFrame":
            yield from _framed(shape)
        elif shape.tag == f"{_SLIDE}pic":
            yield files.PICTURE_LEFT


def _framed(frame: Any) -> Iterator[str]:
    """A table's rows; anything else is drawn."""
    table = next(frame.iter(f"{_DRAWING}tbl"), None)
    if table is None:
        yield files.PICTURE_LEFT
        return
    for row in table.iterchildren(f"{_DRAWING}tr"):
        cells = row.iterchildren(f"{_DRAWING}tc")
        yield " | ".join(_paragraphs(cell.find(f"{_DRAWING}txBody")).strip() for cell in cells)


def _paragraphs(body: Any) -> str:
    if body is None:
        return ""
    return "\n".join("".join(_said(each)) for each in body.iterchildren(f"{_DRAWING}p"))


def _said(parent: Any) -> Iterator[str]:
    for child in parent.iterchildren("*"):
        if child.tag == f"{_DRAWING}br":
            yield "\n"
        elif child.tag in {f"{_DRAWING}r", f"{_DRAWING}fld"}:
            yield _run(child)
        elif child.tag == _FORMULA:
            yield "".join(formulas.said(each) for each in child.iterchildren("*"))
        elif child.tag == _CHOICE:
            yield from _said(next(child.iterchildren("*"), child))


def _run(run: Any) -> str:
    """What is raised or lowered says so."""
    text = run.findtext(f"{_DRAWING}t") or ""
    about = run.find(f"{_DRAWING}rPr")
    moved = about.get("baseline", "") if about is not None else ""
    if not moved.strip("0%") or not text.strip():
        return str(text)
    return formulas.lowered(text.strip()) if moved.startswith("-") else formulas.raised(text.strip())
