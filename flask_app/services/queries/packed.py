"""Rows of the database read many in one: a driver takes longer for a row than for what it holds."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Text, select
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


def pieces(found: Subquery, bundle: ColumnElement[Any]) -> Select[str]:
    """The rows of `found`, those with the same `bundle` in one piece, for `rows`.

    MariaDB cuts a piece at `group_concat_max_len` (1 MiB), and what was cut raises a DecodeError: a bundle is to have
    some hundreds of rows at most.
    """
    return select(_List(*found.c)).group_by(bundle)


def rows(session: Session, packed: Select[str], values: Mapping[str, object] | None = None) -> Iterator[list[Any]]:
    """The rows that were packed, a list of their columns each, in no order; `values` are the statement's parameters."""
    for (piece,) in session.execute(packed, values):
        yield from _rows.decode(piece)


@compiles(_List)
def _list(rows: _List, compiler: SQLCompiler, **options: Any) -> str:
    return f"JSON_ARRAYAGG(JSON_ARRAY({compiler.process(rows.clauses, **options)}))"


@compiles(_List, "sqlite")
def _list_on_sqlite(rows: _List, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(rows.clauses, **options)}))"
