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


class _Blocks(FunctionElement[Any]):
    inherit_cache = True


def blocks(name: str) -> TableValuedAlias:
    """A table with the columns `slice`, `block` and `move`; what it holds is the statement's parameter of that name."""
    value = bindparam(name, type_=Text())
    return _Blocks(value).table_valued(column("slice", Ascii), column("block", Integer), column("move", Integer))


def parameter(rows: Sequence[tuple[str, int, int]]) -> str:
    """The value of the parameter, for these rows of the table."""
    return msgspec.json.encode(rows).decode()


@compiles(_Blocks)
def _table(table: _Blocks, compiler: SQLCompiler, **options: Any) -> str:
    slices = "slice VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$[0]'"
    value = compiler.process(table.clauses, **options)
    return f"JSON_TABLE({value}, '$[*]' COLUMNS ({slices}, block INT PATH '$[1]', move INT PATH '$[2]'))"


@compiles(_Blocks, "sqlite")
def _table_on_sqlite(table: _Blocks, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(table.clauses, **options)
    columns = (f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(("slice", "block", "move")))
    return f"(SELECT {', '.join(columns)} FROM json_each({value}))"  # noqa: S608 - a placeholder
