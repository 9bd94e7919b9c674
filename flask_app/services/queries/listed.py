"""Blocks of the roll-up handed to the database in one value, as a table to look them up by."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Integer, Text, bindparam, column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import TableValuedAlias

from flask_app.column_types import Ascii

_NUMBERS = ("block", "move", "sign")


class _Blocks(FunctionElement[Any]):
    inherit_cache = True


def blocks(name: str) -> TableValuedAlias:
    """A table of `slice`, `block`, `move` and `sign`; what it holds is the statement's parameter of that name."""
    value = bindparam(name, type_=Text())
    numbers = (column(each, Integer) for each in _NUMBERS)
    return _Blocks(value).table_valued(column("slice", Ascii), *numbers)


def parameter(rows: Sequence[tuple[str, int, int, int]]) -> str:
    """The value of the parameter, for these rows of the table."""
    return msgspec.json.encode(rows).decode()


@compiles(_Blocks)
def _table(table: _Blocks, compiler: SQLCompiler, **options: Any) -> str:
    slices = "slice VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$[0]'"
    numbers = ", ".join(f"{name} INT PATH '$[{n}]'" for n, name in enumerate(_NUMBERS, 1))
    value = compiler.process(table.clauses, **options)
    return f"JSON_TABLE({value}, '$[*]' COLUMNS ({slices}, {numbers}))"


@compiles(_Blocks, "sqlite")
def _table_on_sqlite(table: _Blocks, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(table.clauses, **options)
    columns = (f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(("slice", *_NUMBERS)))
    return f"(SELECT {', '.join(columns)} FROM json_each({value}))"  # noqa: S608 - a placeholder
