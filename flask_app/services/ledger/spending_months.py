"""Are a token's months what its days are? Each settlement adds to both, in one transaction."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, func, select, union_all
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flask_app.services.ledger import spending
from flask_app.services.ledger.spending import MONTH_KEY, months, spent


def differences(connection: Connection) -> list[dict[str, Any]]:
    """What is missing in months, or less than nothing; none normally."""
    return [dict(row) for row in connection.execute(_DIFFERENCES).mappings()]


def mend(connection: Connection) -> bool:
    """Add what is missing; False where nothing was."""
    return bool(connection.execute(_MEND[connection.dialect.name]).rowcount)


class _FirstOfMonth(FunctionElement[date]):
    inherit_cache = True
    type = Date()

    def __init__(self, day: ColumnElement[date]) -> None:
        super().__init__(day)


@compiles(_FirstOfMonth)
def _by_its_number(first: _FirstOfMonth, compiler: SQLCompiler, **options: Any) -> str:
    day = compiler.process(first.clauses, **options)
    return f"({day} - INTERVAL (DAYOFMONTH({day}) - 1) DAY)"


@compiles(_FirstOfMonth, "sqlite")
def _on_sqlite(first: _FirstOfMonth, compiler: SQLCompiler, **options: Any) -> str:
    return f"date({compiler.process(first.clauses, **options)}, 'start of month')"


def _comparison() -> Select[Any]:
    month = _FirstOfMonth(spent.c.day).label("month")
    expected = select(spent.c.scope_id.label("token_id"), spent.c.unit, month, spent.c.amount)
    written = select(*(months.c[name] for name in MONTH_KEY), (-months.c.amount).label("amount"))
    both = union_all(expected.where(spent.c.scope == "token"), written).subquery()
    key = [both.c[name] for name in MONTH_KEY]
    missing = func.sum(both.c.amount)
    return select(*key, missing.label("amount")).group_by(*key).having(missing != 0)


_DIFFERENCES = _comparison()
_MEND = spending.adding(months, _DIFFERENCES)
