"""SQL made once: where its values go, and what they are made of. For `statements` alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Dialect, Select
from sqlalchemy.sql.dml import UpdateBase

Parameters = Mapping[str, Any]

_SHARED = frozenset({str, int})  # no two values of these are equal and written apart


@dataclass(frozen=True)
class Compiled:
    """SQL with places for values: how many are given, and what the types make of some of them.

    `places` names the values in order; None where the driver takes them by name.
    """

    sql: str
    given: int
    fixed: dict[str, Any]
    places: Callable[[Parameters], tuple[Any, ...]] | None
    conversions: tuple[tuple[Any, Callable[[Any], Any]], ...]

    @classmethod
    def of(cls, statement: "UpdateBase | Select[Any]", dialect: Dialect, names: list[str]) -> "Compiled":
        column_keys = names if isinstance(statement, UpdateBase) else None
        compiled = statement.compile(dialect=dialect, column_keys=column_keys)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        fixed = {name: bind.value for name, bind in binds.items() if not bind.required}
        if missing := binds.keys() - {*names, *fixed} or compiled.prefetch:
            raise ValueError(f"values are missing: {missing}")
        in_order = compiled.positiontup
        places = enumerate(in_order or ()) if in_order is not None else zip(binds, binds, strict=True)
        made = dict(_ways_in(compiled.bind_names, dialect))
        conversions = tuple((place, made[name]) for place, name in places if name in made)
        return cls(compiled.string, len(names), fixed, _taker(in_order) if in_order else None, conversions)

    @cached_property
    def parts(self) -> tuple[str, str, str] | None:
        """Of an INSERT on a server: what comes before a row's place, that, and what comes after it."""
        from pymysql.cursors import RE_INSERT_VALUES  # type: ignore[import-untyped] # a file's site spares its memory

        found = RE_INSERT_VALUES.match(self.sql)
        return (found[1], found[2], found[3] or "") if found else None

    def row(self, parameters: Parameters) -> Any:
        """The values as the driver takes them."""
        if len(parameters) != self.given:
            raise ValueError("other parameters than the first time")
        named = {**parameters, **self.fixed}
        values: Any = list(self.places(named)) if self.places else named
        for place, convert in self.conversions:
            values[place] = convert(values[place])
        return tuple(values) if self.places else values


def _ways_in(binds: Mapping[BindParameter[Any], str], dialect: Dialect) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """What the types make of values on their way in, by name: of one that stands in several places, any that does."""
    for bind, name in binds.items():
        if convert := bind.type.dialect_impl(dialect).bind_processor(dialect):
            yield name, convert


def _taker(names: list[str]) -> Callable[[Parameters], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: (values[names[0]],)


class Literals:
    """Values by name as SQL has them, for `%`. Rows that go together have most of their words and numbers in common."""

    def __init__(self, mogrify: Callable[[str, Sequence[Any]], str]) -> None:
        self._mogrify = mogrify
        self._known: dict[str | int, str] = {}

    def of(self, values: Mapping[str, Any]) -> dict[str, str]:
        known, made = self._known, self._made
        return {
            name: (known.get(each) if type(each) in _SHARED else None) or made(each) for name, each in values.items()
        }

    def _made(self, value: Any) -> str:
        made = self._mogrify("%s", (value,))
        if type(value) in _SHARED:
            self._known[value] = made
        return made
