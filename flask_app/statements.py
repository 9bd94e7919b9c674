"""Statements of the token path: compiled once for each kind of database, and run as plain SQL ever after.

An answer writes two dozen rows and reads half a dozen. For each of them SQLAlchemy would look its statement up again,
build the parameters anew, and wrap what comes, by rules that never change: that takes longer than the database does.
"""

from collections import namedtuple
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, NoReturn, Protocol, cast

from sqlalchemy import BindParameter, ColumnElement, Dialect, Select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase

Parameters = Mapping[str, Any]


class Done(Protocol):
    """What a statement has done: to how many rows, and what it has found."""

    @property
    def rowcount(self) -> int: ...

    def fetchall(self) -> Sequence[Any]: ...


def execute(connection: Connection, sql: str, values: Any = ()) -> Done:
    """Run plain SQL; several times where `values` is a list. Raises what SQLAlchemy would.

    The driver is called at once, unless somebody listens for statements.
    """
    if _is_listened_to(connection):
        return connection.exec_driver_sql(sql, values)
    driver: Any = connection.connection.dbapi_connection
    is_file = connection.dialect.name == "sqlite"
    cursor = driver if is_file else driver.cursor()
    try:
        done = (cursor.executemany if isinstance(values, list) else cursor.execute)(sql, values)
    except BaseException as error:  # noqa: BLE001 - raised again
        _raise(connection, sql, values, error)
    return cast("Done", done if is_file else cursor)


def _is_listened_to(connection: Connection) -> bool:
    heard = connection.engine.dispatch
    return bool(heard.before_cursor_execute or heard.after_cursor_execute)


def _raise(connection: Connection, sql: str, values: Any, error: BaseException) -> NoReturn:
    """As SQLAlchemy does; a connection that is lost is used no more."""
    dialect = connection.dialect
    if not isinstance(error, dialect.loaded_dbapi.Error):
        if not isinstance(error, Exception):  # stopped while the server spoke: nobody knows what it says next
            connection.invalidate()
        raise error
    met: Any = error
    is_lost = dialect.is_disconnect(met, connection.connection.dbapi_connection, None)
    if is_lost:
        connection.invalidate(error)
    told: Exception = DBAPIError.instance(
        sql,
        values,
        met,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
    raise told from error


@dataclass(frozen=True)
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
    def of(cls, statement: "UpdateBase | Select[Any]", dialect: Dialect, names: list[str]) -> "_Compiled":
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


class Prepared:
    """A statement that writes. It gets the same parameters, by name, every time, and no other.

    `statement` is for all databases, or one for each by the name of its dialect. Defaults of columns are not filled in.
    """

    def __init__(self, statement: UpdateBase | Mapping[str, UpdateBase]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, parameters: Parameters) -> Done:
        compiled = self._for(connection.dialect, parameters)
        return execute(connection, compiled.sql, compiled.row(parameters))

    def run_each(self, connection: Connection, rows: Sequence[Parameters]) -> None:
        """The same for several rows."""
        compiled = self._for(connection.dialect, rows[0])
        execute(connection, compiled.sql, [compiled.row(row) for row in rows])

    def worded(self, connection: Connection, rows: Sequence[Parameters]) -> list[bytes]:
        """As PyMySQL would send it: an INSERT once for all the rows, others for each."""
        compiled = self._for(connection.dialect, rows[0])
        driver: Any = connection.connection.dbapi_connection
        mogrify, values = driver.cursor().mogrify, [compiled.row(row) for row in rows]
        if (parts := compiled.parts) is None:
            words = [mogrify(compiled.sql, each) for each in values]
        else:
            begins, place, ends = parts
            words = [f"{begins % ()}{','.join([mogrify(place, each) for each in values])}{ends % ()}"]
        return [each.encode(driver.encoding, "surrogateescape") for each in words]

    def _for(self, dialect: Dialect, parameters: Parameters) -> _Compiled:
        if (known := self._compiled.get(dialect.name)) is None:
            statement = self._statement if isinstance(self._statement, UpdateBase) else self._statement[dialect.name]
            known = self._compiled[dialect.name] = _Compiled.of(statement, dialect, list(parameters))
        return known


Rows = tuple[Prepared, Sequence[Parameters]]


def run_together(connection: Connection, *acts: Rows, is_last: bool = False) -> None:
    """Write with several statements, or for several rows, in this order: a server needs one round trip for all.

    `is_last`: nothing follows but the COMMIT, and others may wait for that (see `round_trips`).

    Raises as `execute` does: what comes after the one that failed may have been done, so the transaction must end.
    """
    if connection.dialect.name == "sqlite" or _is_listened_to(connection):
        for prepared, rows in acts:
            prepared.run_each(connection, rows)
        return
    from flask_app import round_trips  # as in `parts`

    statements = [words for prepared, rows in acts for words in prepared.worded(connection, rows)]
    try:
        round_trips.make(connection.connection.dbapi_connection, statements, connection.info if is_last else None)
    except BaseException as error:  # noqa: BLE001 - raised again
        _raise(connection, "several statements", (), error)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is made of the rows that are found: what the types make of some of their values, and a name for each."""

    conversions: tuple[tuple[int, Callable[[Any], Any]], ...]
    named: Callable[[Sequence[Any]], Any]

    @classmethod
    def of(cls, columns: Mapping[str, ColumnElement[Any]], dialect: Dialect) -> "_Found":
        made = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns.values()]
        conversions = tuple((place, convert) for place, convert in enumerate(made) if convert is not None)
        named: Any = namedtuple("Row", list(columns))  # type: ignore[misc]
        return cls(conversions, named._make)

    def row(self, raw: Sequence[Any]) -> Any:
        values = list(raw)
        for place, convert in self.conversions:
            values[place] = convert(values[place])
        return self.named(values)


class Query:
    """A statement that reads, whose columns have names of their own. It gets the same parameters every time, as
    `Prepared` does, and none whose number of values varies. Its rows are named tuples.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[_Compiled, _Found]] = {}

    def rows(self, connection: Connection, parameters: Parameters) -> list[Any]:
        compiled, found = self._for(connection.dialect, parameters)
        values = compiled.row(parameters)
        raw = None if connection.dialect.name == "sqlite" else self._found_ahead(connection, values)
        if raw is None:
            raw = execute(connection, compiled.sql, values).fetchall()
        return [found.row(each) for each in raw]

    def ahead(self, connection: Connection, parameters: Parameters) -> tuple[bytes, Hashable]:
        """The question as PyMySQL would send it, and what it is known by when it is asked."""
        compiled, _ = self._for(connection.dialect, parameters)
        driver: Any = connection.connection.dbapi_connection
        values = compiled.row(parameters)
        words: str = driver.cursor().mogrify(compiled.sql, values)
        return words.encode(driver.encoding, "surrogateescape"), (self, frozenset(values.items()))

    def _found_ahead(self, connection: Connection, values: Any) -> Sequence[Any] | None:
        from flask_app import round_trips  # as in `run_together`

        return round_trips.kept(connection.info, (self, frozenset(values.items())))

    def row(self, connection: Connection, parameters: Parameters) -> Any | None:
        """The first of them; None where there is none."""
        return next(iter(self.rows(connection, parameters)), None)

    def value(self, connection: Connection, parameters: Parameters) -> Any | None:
        """The first of its values."""
        return None if (row := self.row(connection, parameters)) is None else row[0]

    def _for(self, dialect: Dialect, parameters: Parameters) -> tuple[_Compiled, _Found]:
        if (known := self._compiled.get(dialect.name)) is None:
            found = _Found.of(dict(self._statement.selected_columns.items()), dialect)
            known = self._compiled[dialect.name] = _Compiled.of(self._statement, dialect, list(parameters)), found
        return known


Question = tuple[Query, Parameters]


def look_ahead(connection: Connection, *questions: Question) -> None:
    """Ask in one round trip what the transaction is to ask next: each answer is found once, where it is asked for.

    They are asked in this order, each of what is committed once those before it have their answers, locks among them.
    What is not asked for then is forgotten with the transaction. SQLite has no way to spare.
    """
    if connection.dialect.name == "sqlite" or _is_listened_to(connection):
        return
    from flask_app import round_trips  # as in `run_together`

    asked = [query.ahead(connection, parameters) for query, parameters in questions]
    try:
        found = round_trips.make(connection.connection.dbapi_connection, [words for words, _ in asked])
    except BaseException as error:  # noqa: BLE001 - raised again
        _raise(connection, "several statements", (), error)
    round_trips.keep(connection.info, dict(zip((known for _, known in asked), found, strict=True)))
