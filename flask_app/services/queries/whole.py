"""Whole numbers divided and added up in the database."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

EXACT_BELOW = 1 << 52  # doubles hold every whole number of twice that: what was used, and as much given back


class RolledSum(FunctionElement[int]):
    """Of whole numbers, exact on MariaDB as long as it is below EXACT_BELOW, and what the negative ones take away too.

    MariaDB would add up decimals, which takes groups longer than doubles. On SQLite it is always exact.
    """

    inherit_cache = True
    type = BigInteger()


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


@compiles(RolledSum)
def _rolled(added: RolledSum, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(sum({compiler.process(added.clauses, **options)} + 0e0) AS SIGNED INTEGER)"


@compiles(RolledSum, "sqlite")
def _rolled_on_sqlite(added: RolledSum, compiler: SQLCompiler, **options: Any) -> str:
    return f"sum({compiler.process(added.clauses, **options)})"
