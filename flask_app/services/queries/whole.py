"""Whole numbers divided and added up in the database."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_HALF = 1 << 32


class _Count(FunctionElement[int]):
    """A sum of doubles, which hold every whole number up to 2**53: that many tokens, a provider that reports the most
    that a count may be (2**31) would have to report four million times.
    """

    inherit_cache = True
    type = BigInteger()


class _Money(FunctionElement[int]):
    """Of micro-units: some currencies have small units. Their upper and lower halves are added up by themselves, so
    that nothing is lost up to 2**63.
    """

    inherit_cache = True
    type = BigInteger()


def rolled_sum(column: ColumnElement[int], times: ColumnElement[int] | None = None) -> ColumnElement[int]:
    """Of one of the roll-up's figures, exactly, and of each so many `times`, which may be negative.

    MariaDB would add up decimals, which takes groups longer.
    """
    name: str = getattr(column, "name", "")
    added = column if times is None else column * times
    return _Money(added) if name.endswith("_micros") else _Count(added)


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


@compiles(_Count)
def _count(added: _Count, compiler: SQLCompiler, **options: Any) -> str:
    return _by_doubles(compiler.process(added.clauses, **options))


@compiles(_Money)
def _money(added: _Money, compiler: SQLCompiler, **options: Any) -> str:
    micros = compiler.process(added.clauses, **options)
    return f"({_by_doubles(f'({micros}) DIV {_HALF}')} * {_HALF} + {_by_doubles(f'({micros}) MOD {_HALF}')})"


def _by_doubles(number: str) -> str:
    return f"CAST(sum({number} + 0e0) AS SIGNED INTEGER)"


@compiles(_Count, "sqlite")
@compiles(_Money, "sqlite")
def _on_sqlite(added: FunctionElement[int], compiler: SQLCompiler, **options: Any) -> str:
    return f"sum({compiler.process(added.clauses, **options)})"
