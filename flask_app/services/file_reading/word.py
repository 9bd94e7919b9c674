"""The words of Word documents, with formulas as lines, the numbers of lists, and notes where they belong."""

import io
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from flask_app.domain import files
from flask_app.services.file_reading import formulas
from flask_app.services.file_reading.contents import Contents, Words, document
from flask_app.services.file_reading.list_numbers import Numbers

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFFICE = "{urn:schemas-microsoft-com:office:office}"
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_PICTURES = (
    "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic",
    "{urn:schemas-microsoft-com:vml}imagedata",
)
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# What stands around paragraphs, rows and cells, and is nothing by itself.
_AROUND = {f"{_WORD}{name}" for name in ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo")}
_LEFT_OUT = {f"{_WORD}{name}" for name in ("pPr", "rPr", "sdtPr", "del", "moveFrom")}
_SIGNS = {f"{_WORD}{name}": sign for name, sign in (("tab", "\t"), ("br", "\n"), ("cr", "\n"), ("noBreakHyphen", "-"))}
_DRAWN = {f"{_WORD}{name}" for name in ("drawing", "pict", "object")}
_NOTES = {f"{_WORD}{name}Reference": f"{name}s" for name in ("footnote", "endnote")}
_VALUE, _ID = f"{_WORD}val", f"{_WORD}id"
_RAISED = {"superscript": formulas.raised, "subscript": formulas.lowered}


def read(content: bytes) -> Contents:
    """Raises Unreadable, and whatever the library does."""
    import docx

    part = docx.Document(io.BytesIO(content)).part
    words = Words()
    for line in _Document(part).lines():
        words.add(line)
    return document(files.WORD_TYPE, words, words.whole())


class _Document:
    def __init__(self, part: Any) -> None:
        self._body = part.element.body
        self._parts: dict[str, list[Any]] = {}
        for relation in part.rels.values():
            if not relation.is_external:
                self._parts.setdefault(relation.reltype, []).append(relation.target_part)
        self._numbers = Numbers(self._root("numbering"), self._root("styles"))
        self._notes = {name: self._notes_of(name) for name in _NOTES.values()}

    def lines(self) -> Iterator[str]:
        """Headers come first, footers last, each once."""
        yield from self._beside("header")
        yield from self._blocks(self._body)
        yield from self._beside("footer")

    def _roots(self, name: str) -> Iterator[Any]:
        from docx.oxml.parser import parse_xml

        for part in self._parts.get(f"{_RELATIONS}/{name}", ()):
            yield part.element if hasattr(part, "element") else parse_xml(part.blob)

    def _root(self, name: str) -> Any:
        return next(self._roots(name), None)

    def _notes_of(self, name: str) -> dict[str, Any]:
        root = self._root(name)
        return {} if root is None else {each.get(_ID, ""): each for each in root.iterchildren(f"{_WORD}{name[:-1]}")}

    def _beside(self, name: str) -> Iterator[str]:
        blocks = (" ".join(self._blocks(root)) for root in self._roots(name))
        said = dict.fromkeys(" ".join(files.LEFT.sub("", each).split()) for each in blocks)  # nobody misses a logo
        yield from (f"[{name}] {each}" for each in said if each)

    def _blocks(self, parent: Any) -> Iterator[str]:
        """Paragraphs, and rows of tables with their cells parted by bars, in their order."""
        for child in _children(parent):
            if child.tag == f"{_WORD}p":
                number = self._numbers.of(child)
                said = "".join(self._said(child))
                yield f"{number} {said}" if number else said
            elif child.tag == f"{_WORD}tbl":
                for row in _children(child, "tr"):
                    yield " | ".join(" ".join(self._blocks(cell)).strip() for cell in _children(row, "tc"))

    def _said(self, parent: Any) -> Iterator[str]:
        """The words within a paragraph as it is now; what is raised or lowered in it says so."""
        for form, children in groupby(parent.iterchildren("*"), _vertical):
            said = "".join(part for child in children for part in self._child(child))
            yield _RAISED[form](said.strip()) if form in _RAISED and said.strip() else said

    def _child(self, child: Any) -> Iterator[str]:
        """A text box stands on lines of its own, once; a picture is named."""
        if (small := self._small(child)) is not None:
            yield small
        elif child.tag == f"{_WORD}txbxContent":
            yield "".join(f"\n{block}" for block in self._blocks(child))
        elif child.tag == _CHOICE:  # the same in several forms, the best first
            yield from self._said(next(child.iterchildren("*"), child))
        elif child.tag in _DRAWN:
            yield from self._drawn(child)
        elif child.tag not in _LEFT_OUT:
            yield from self._said(child)

    def _small(self, child: Any) -> str | None:
        """What it says by itself, or the note that it leads to; None where others stand in it."""
        if child.tag == f"{_WORD}t":
            return child.text or ""
        if child.tag in formulas.WHOLE:
            return formulas.said(child)
        if child.tag in _NOTES:
            return self._note(_NOTES[child.tag], child.get(_ID, ""))
        return _SIGNS.get(child.tag)

    def _drawn(self, drawn: Any) -> Iterator[str]:
        """Its words, and what stands for a picture. A line that is drawn the old way is none."""
        said = "".join(self._said(drawn))
        yield said
        if drawn.tag == f"{_WORD}object":
            program = next(drawn.iter(f"{_OFFICE}OLEObject"), drawn).get("ProgID", "")
            yield files.FORMULA_LEFT if program.startswith("Equation") else files.PICTURE_LEFT
        elif next(drawn.iter(*_PICTURES), None) is not None or (drawn.tag == f"{_WORD}drawing" and not said.strip()):
            yield files.PICTURE_LEFT

    def _note(self, name: str, key: str) -> str:
        note = self._notes[name].pop(key, None)  # once: none is read within itself
        said = "" if note is None else " ".join(" ".join(self._blocks(note)).split())
        return f" [note: {said}]" if said else ""


def _children(parent: Any, name: str | None = None) -> Iterator[Any]:
    """Also those in a control, or another part that stands around them."""
    for child in parent.iterchildren("*"):
        if child.tag in _AROUND:
            yield from _children(child, name)
        elif name is None or child.tag == f"{_WORD}{name}":
            yield child


def _vertical(child: Any) -> str:
    """How a run stands: raised, lowered, or as any other."""
    about = child.find(f"{_WORD}rPr") if child.tag == f"{_WORD}r" else None
    found = None if about is None else about.find(f"{_WORD}vertAlign")
    if found is None or next(child.iterchildren(*_NOTES), None) is not None:
        return ""
    return str(found.get(_VALUE, ""))
