"""What is written on a page of HTML, also one that a program calls ".xls": no markup, no script, nothing hidden."""

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from flask_app.domain import files
from flask_app.services.file_reading import texts
from flask_app.services.file_reading.contents import Contents, Unreadable, Words

_LOOKED_AT = 4096  # bytes, for the encoding that it names
_NAMED = re.compile(rb"<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
# What browsers take some names for: what these are part of.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252", "shift_jis": "cp932"}
_WIDER |= {"euc_kr": "cp949", "big5": "big5hkscs", "iso8859-9": "cp1254"}
_KNOWN = {*_WIDER.values(), "utf-8", "euc_jp", "iso2022_jp", "koi8-r", "koi8-u", "cp874"}
_KNOWN |= {f"cp125{number}" for number in range(9)} | {f"iso8859-{number}" for number in range(2, 17)}
_LEFT_OUT = {"script", "style", "template", "noscript", "xml", "svg", "object", "iframe", "rp"}
_LEFT_OUT |= {"datalist", "noembed", "noframes"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BLOCKS = {"address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "div", "dl", "dt"}
_BLOCKS |= {"fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr"}
_BLOCKS |= {"html", "legend", "li", "main", "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody"}
_BLOCKS |= {"tfoot", "thead", "title", "tr", "ul"}
_CELLS, _LINE, _KEPT = {"td", "th"}, "\n", "\0"  # the last a blank that stays: no text has one
_BLANKS, _SPACES = re.compile(r"[ \t\n\r\f\xa0]+"), re.compile(r" +")


def load(content: bytes) -> None:
    """All that reading it needs: nothing can be opened later on."""
    import lxml.etree  # noqa: F401 - its parser

    codecs.lookup(_encoding(content) or "utf-8")


def read(content: bytes, language: str) -> Contents:
    """Raises Unreadable: file_kind_unknown for what is no text, file_unreadable, file_too_long, file_without_words."""
    from lxml import etree

    whole = _decoded(content, language)
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True, no_network=True)
    try:
        root = etree.fromstring(whole.encode("utf-8", "ignore"), parser)
    except (etree.LxmlError, ValueError) as error:
        raise Unreadable from error
    if any(each.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for each in parser.error_log):  # the rest is not there
        raise Unreadable
    words = Words()
    for part in () if root is None else (root, *root.itersiblings()):  # what follows a page's end stands on it as well
        for line in _lines(part):
            words.add(line)
    if not words.say_something():
        raise Unreadable("file_without_words")
    return Contents(kind=files.TEXT, content_type=files.TEXT_TYPE, text=words.whole())


def _decoded(content: bytes, language: str) -> str:
    """As it says itself; else, or where that is not true, as any text."""
    encoding = _encoding(content)
    if encoding and not content.startswith(texts.MARKS):
        with suppress(UnicodeDecodeError):
            return texts.printed(content.decode(encoding))
    return texts.decoded(content, language)


def _encoding(content: bytes) -> str | None:
    """What it names, where that is one of texts."""
    named = _NAMED.search(content[:_LOOKED_AT])
    try:
        encoding = codecs.lookup(named[1].decode("ascii")).name if named else ""
    except LookupError:
        return None
    encoding = _WIDER.get(encoding, encoding)
    return encoding if encoding in _KNOWN else None


def _lines(root: Any) -> Iterator[str]:
    """One after the other; none is empty."""
    page = _Page()
    yield from (line.replace(_KEPT, " ") for line in page.drawn(root).split(_LINE))


class _Page:
    """The text of each cell that is open, the innermost last; the page itself is the first."""

    def __init__(self) -> None:
        self._open: list[list[str]] = [[]]
        self._rows: list[list[str]] = []
        self._lists: list[int | None] = []
        self._left = files.MOST_TEXT_BYTES  # letters, each a byte at least
        self._kept = 0  # how many elements are open in which blanks stand as they are

    def drawn(self, root: Any) -> str:
        from lxml import etree

        hidden = None
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if event == "start":
                if _is_hidden(element):
                    hidden = element
                    walk.skip_subtree()
                else:
                    self._begin(element)
                    self._say(element.text)
                continue
            if element is not hidden:
                self._end(element.tag)
            self._say(element.tail)
        return _tidy(self._open[0])

    def _say(self, text: str | None) -> None:
        if text:
            self._left -= len(text)
            if self._left < 0:
                raise Unreadable("file_too_long")
            self._open[-1].append(text.replace(" ", _KEPT) if self._kept else _BLANKS.sub(" ", text))

    def _begin(self, element: Any) -> None:
        name = element.tag
        if name in _BLOCKS:
            self._open[-1].append(_LINE)
        if name == "tr":
            self._rows.append([])
        elif name in _CELLS:
            self._open.append([])
        elif name in {"ul", "ol"}:
            self._lists.append(0 if name == "ol" else None)
        elif name == "li":
            self._open[-1].append(self._mark())
        elif name == "img":
            self._open[-1].append(f" {_BLANKS.sub(' ', element.get('alt', ''))} ")
        self._kept += name in {"pre", "textarea"}

    def _end(self, name: str) -> None:
        self._kept -= name in {"pre", "textarea"}
        if name in _CELLS:
            self._end_cell()
        elif name == "tr" and self._rows:
            self._open[-1].append(_row(self._rows.pop()))
        elif name in {"ul", "ol"} and self._lists:
            self._lists.pop()
        if name in _BLOCKS and name != "br":
            self._open[-1].append(_LINE)

    def _mark(self) -> str:
        """What stands before an item of the innermost list."""
        if not self._lists or self._lists[-1] is None:
            return "- "
        self._lists[-1] += 1
        return f"{self._lists[-1]}. "

    def _end_cell(self) -> None:
        said = _tidy(self._open.pop())
        if self._rows:
            self._rows[-1].append(said)
        else:
            self._open[-1].append(f"{_LINE}{said}")


def _row(cells: list[str]) -> str:
    """Beside each other, as in other tables; a cell alone, or one that holds a table, is a part of the page."""
    if sum(bool(cell) for cell in cells) < 2 or any(" | " in cell for cell in cells):
        return _LINE.join(cells)
    return " | ".join(" ".join(cell.split(_LINE)) for cell in cells)


def _tidy(parts: list[str]) -> str:
    lines = (_SPACES.sub(" ", line).strip(" ") for line in "".join(parts).split(_LINE))
    return _LINE.join(line for line in lines if line)


def _is_hidden(element: Any) -> bool:
    if element.tag in _LEFT_OUT or element.get("hidden") is not None:
        return True
    if element.tag == "dialog" and element.get("open") is None:
        return True
    style = element.get("style")
    return style is not None and _HIDDEN.search(style) is not None
