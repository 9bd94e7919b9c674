"""Division of whole numbers in the database."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Quotient(FunctionElement[int]):
    """Of two whole numbers, rounded down. For `//` MariaDB would divide decimals, row by row."""

    inherit_cache = True
    type = Integer()

    def __init__(self, dividend: ColumnElement[int], divisor: int) -> None:
        super().__init__(dividend, literal(divisor))


@compiles(Quotient)
def _whole(quotient: Quotient, compiler: SQLCompiler, **options: Any) -> str:
    dividend, divisor = (compiler.process(each, **options) for each in quotient.clauses)
    return f"(({dividend}) DIV {divisor})"


@compiles(Quotient, "sqlite")
def _whole_on_sqlite(quotient: Quotient, compiler: SQLCompiler, **options: Any) -> str:
    dividend, divisor = (compiler.process(each, **options) for each in quotient.clauses)
    return f"(({dividend}) / {divisor})"
