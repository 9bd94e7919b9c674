"""Conditions that say little, told to SQLite, which keeps no count of its rows."""

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Likely(FunctionElement[int]):
    """A condition that most rows fulfil, or so many that none should be looked for by it: another is to be."""

    inherit_cache = True
    type = Integer()  # of a truth SQLAlchemy would make `… = 1` here, which is no condition of an index


@compiles(Likely)
def _as_it_is(condition: Likely, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(condition.clauses, **options)


@compiles(Likely, "sqlite")
def _for_sqlite(condition: Likely, compiler: SQLCompiler, **options: Any) -> str:
    return f"likely({compiler.process(condition.clauses, **options)})"
