"""Lists as files of any size: CSV that no spreadsheet takes for formulas, and JSON Lines. Made page by page.

In CSV a record is one line, whoever reads it: a cell holds no line break and nothing else that does not print.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec
from flask import Response, g

from flask_app.errors import BadRequest
from flask_app.web.bodies import Reply
from flask_app.web.events import while_signed_in

FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
BYTE_ORDER_MARK = "\ufeff"  # without it spreadsheets take UTF-8 for something older
# What spreadsheets begin a formula with, also in the width of Chinese keyboards.
FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
# Where semicolons part cells, as in half of Europe, a formula may begin behind one.
_LATER_FORMULA = re.compile(rf"(?<=;)(?= *[{re.escape(''.join(FORMULAS))}])")
_JOINER = "\u200d"  # of emoji, which people's names may have

_line = msgspec.json.Encoder()


def file_format(name: str | None) -> str:
    """One of FORMATS, CSV where none is asked for; raises BadRequest("unknown_format")."""
    name = name or "csv"
    if name not in FORMATS:
        raise BadRequest("unknown_format", known=", ".join(FORMATS))
    return name


def attachment(pages: Iterable[str], kind: str, name: str) -> Response:
    """A file that is made while it is sent, for as long as the reader is signed in. `name` has no ending.

    For who is signed out meanwhile it breaks off, which browsers tell: nobody takes a half for the whole.
    """
    return sent((page.encode() for page in pages), FORMATS[kind], f"{name}.{kind}")


def sent(pieces: Iterator[bytes], content_type: str, name: str) -> Response:
    """The same of anything. `name` is the file's, with its ending."""
    response = Response(while_signed_in(pieces, g.session_id), content_type=content_type)
    plain = name.encode("ascii", "ignore").decode().lstrip("-")
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return response


def csv_pages(heads: Sequence[str], pages: Iterable[Iterable[Sequence[object]]]) -> Iterator[str]:
    """The heads, then each page's rows, as soon as there is something."""
    yield BYTE_ORDER_MARK + _rows([heads])
    for page in pages:
        yield _rows(page)


def json_lines(pages: Iterable[Iterable[Reply]]) -> Iterator[str]:
    """A line for each reply."""
    for page in pages:
        yield "".join(f"{_line.encode(reply).decode()}\n" for reply in page)


def cell(value: object) -> str | int:
    """A value as a table holds it. Text is never a formula, and on one line: what does not print is a space there.

    Numbers are numbers, negative ones too.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return value
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() or sign == _JOINER else " " for sign in text)
    text = _LATER_FORMULA.sub("'", text)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULAS) else text


def _rows(rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([cell(value) for value in row] for row in rows)
    return written.getvalue()
