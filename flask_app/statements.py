"""Statements of the token path: compiled once for each kind of database, and run as plain SQL ever after.

An answer writes two dozen rows. For each of them SQLAlchemy would look its statement up again and build the parameters
anew, by rules that never change: that takes longer than the database does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import CursorResult, Dialect
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import UpdateBase

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """SQL with places for values: how many are given, and what the types make of some of them.

    `places` names the values in order; None where the driver takes them by name.
    """

    sql: str
    given: int
    fixed: dict[str, Any]
    places: Callable[[Parameters], tuple[Any, ...]] | None
    conversions: tuple[tuple[Any, Callable[[Any], Any]], ...]

    @classmethod
    def of(cls, statement: UpdateBase, dialect: Dialect, names: list[str]) -> "_Compiled":
        compiled = statement.compile(dialect=dialect, column_keys=names)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        fixed = {name: bind.value for name, bind in binds.items() if not bind.required}
        if missing := binds.keys() - {*names, *fixed} or compiled.prefetch:
            raise ValueError(f"values are missing: {missing}")
        in_order = compiled.positiontup
        places = enumerate(in_order) if in_order else zip(binds, binds, strict=True)
        processors = [(place, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for place, name in places]
        conversions = tuple((place, convert) for place, convert in processors if convert is not None)
        return cls(compiled.string, len(names), fixed, itemgetter(*in_order) if in_order else None, conversions)

    def row(self, parameters: Parameters) -> Any:
        """The values as the driver takes them."""
        if len(parameters) != self.given:
            raise ValueError("other parameters than the first time")
        named = {**parameters, **self.fixed}
        values: Any = list(self.places(named)) if self.places else named
        for place, convert in self.conversions:
            values[place] = convert(values[place])
        return tuple(values) if self.places else values


class Prepared:
    """A statement that writes. It gets the same parameters, by name, every time: two or more, and no other.

    `statement` is for all databases, or one for each by the name of its dialect. Defaults of columns are not filled in.
    """

    def __init__(self, statement: UpdateBase | Mapping[str, UpdateBase]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, parameters: Parameters) -> CursorResult[Any]:
        compiled = self._for(connection.dialect, parameters)
        return connection.exec_driver_sql(compiled.sql, compiled.row(parameters))

    def run_each(self, connection: Connection, rows: Sequence[Parameters]) -> None:
        """The same for several rows."""
        compiled = self._for(connection.dialect, rows[0])
        connection.exec_driver_sql(compiled.sql, [compiled.row(row) for row in rows])

    def _for(self, dialect: Dialect, parameters: Parameters) -> _Compiled:
        if (known := self._compiled.get(dialect.name)) is None:
            statement = self._statement if isinstance(self._statement, UpdateBase) else self._statement[dialect.name]
            known = self._compiled[dialect.name] = _Compiled.of(statement, dialect, list(parameters))
        return known
