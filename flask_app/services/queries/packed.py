"""Rows of the database read many in one: a driver takes longer for a row than for what it holds."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Subquery

_rows = msgspec.json.Decoder(list[list[Any]])


class _List(FunctionElement[str]):
    """Of the rows of a group, each the list of these columns, as JSON."""

    inherit_cache = True
    type = Text()


def rows(session: Session, found: Subquery, bundle: ColumnElement[Any]) -> Iterator[list[Any]]:
    """The rows of `found`, a list of its columns each, in no order. Those with the same `bundle` come in one piece.

    MariaDB cuts a piece at `group_concat_max_len` (1 MiB), and what was cut raises a DecodeError: a bundle is to have
    some hundreds of rows at most.
    """
    for (piece,) in session.execute(select(_List(*found.c)).group_by(bundle)):
        yield from _rows.decode(piece)


@compiles(_List)
def _list(rows: _List, compiler: SQLCompiler, **options: Any) -> str:
    return f"JSON_ARRAYAGG(JSON_ARRAY({compiler.process(rows.clauses, **options)}))"


@compiles(_List, "sqlite")
def _list_on_sqlite(rows: _List, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(rows.clauses, **options)}))"
