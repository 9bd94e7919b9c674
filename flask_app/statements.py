"""Statements of the token path: compiled once for each kind of database, and run as plain SQL ever after.

An answer writes two dozen rows and reads half a dozen. For each of them SQLAlchemy would look its statement up again,
build the parameters anew, and wrap what comes, by rules that never change: that takes longer than the database does.
"""

from collections import namedtuple
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, Protocol, cast

from sqlalchemy import ColumnElement, Dialect, Select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase

from flask_app.compiled import Compiled, Literals, Parameters


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


class Prepared:
    """A statement that writes. It gets the same parameters, by name, every time, and no other.

    `statement` is for all databases, or one for each by the name of its dialect. Defaults of columns are not filled in.
    """

    def __init__(self, statement: UpdateBase | Mapping[str, UpdateBase]) -> None:
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def run(self, connection: Connection, parameters: Parameters) -> Done:
        compiled = self._for(connection.dialect, parameters)
        return execute(connection, compiled.sql, compiled.row(parameters))

    def run_each(self, connection: Connection, rows: Sequence[Parameters]) -> Done:
        """The same for several rows."""
        compiled = self._for(connection.dialect, rows[0])
        return execute(connection, compiled.sql, [compiled.row(row) for row in rows])

    def worded(self, connection: Connection, rows: Sequence[Parameters]) -> list[bytes]:
        """As PyMySQL would send it: an INSERT once for all the rows, others for each."""
        compiled = self._for(connection.dialect, rows[0])
        driver: Any = connection.connection.dbapi_connection
        mogrify, values = driver.cursor().mogrify, [compiled.row(row) for row in rows]
        if (parts := compiled.parts) is None:
            words = [mogrify(compiled.sql, each) for each in values]
        else:
            (begins, place, ends), literals = parts, Literals(mogrify)
            words = [f"{begins % ()}{','.join([place % literals.of(each) for each in values])}{ends % ()}"]
        return [each.encode(driver.encoding, "surrogateescape") for each in words]

    def _for(self, dialect: Dialect, parameters: Parameters) -> Compiled:
        if (known := self._compiled.get(dialect.name)) is None:
            statement = self._statement if isinstance(self._statement, UpdateBase) else self._statement[dialect.name]
            known = self._compiled[dialect.name] = Compiled.of(statement, dialect, list(parameters))
        return known


class Act(NamedTuple):
    """What is written with others. `check` hears to how many rows it was done, once all are done."""

    prepared: Prepared
    rows: Sequence[Parameters]
    check: Callable[[int], object] | None = None


class Missed(Exception):
    """A row that an act was meant for is not there, or no longer as it was hoped to be."""


def once(rows: int) -> None:
    """The check of an act that is meant for one row; raises Missed."""
    if rows != 1:
        raise Missed


def run_together(connection: Connection, *acts: Act, is_last: bool = False) -> None:
    """Write with several statements, or for several rows, in this order: a server needs one round trip for all.

    `is_last`: nothing follows but the COMMIT, and others may wait for that (see `round_trips`).

    Raises as `execute` does, or what a `check` raises: what comes after may be done, so the transaction must end.
    """
    if not acts:
        return
    if connection.dialect.name == "sqlite" or _is_listened_to(connection):
        counts = [act.prepared.run_each(connection, act.rows).rowcount for act in acts]
    else:
        counts = _run_in_one_trip(connection, acts, is_last=is_last)
    for act, count in zip(acts, counts, strict=True):
        if act.check:
            act.check(count)


def _run_in_one_trip(connection: Connection, acts: Sequence[Act], *, is_last: bool) -> list[int]:
    """Gives to how many rows each was done."""
    from flask_app import round_trips  # as in `parts`

    worded = [act.prepared.worded(connection, act.rows) for act in acts]
    statements = [each for words in worded for each in words]
    try:
        replies = round_trips.make(
            connection.connection.dbapi_connection, statements, connection.info if is_last else None
        )
    except BaseException as error:  # noqa: BLE001 - raised again
        _raise(connection, "several statements", (), error)
    left = iter(replies)
    return [sum(next(left).affected for _ in words) for words in worded]


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
        self._compiled: dict[str, tuple[Compiled, _Found]] = {}

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

    def _for(self, dialect: Dialect, parameters: Parameters) -> tuple[Compiled, _Found]:
        if (known := self._compiled.get(dialect.name)) is None:
            found = _Found.of(dict(self._statement.selected_columns.items()), dialect)
            known = self._compiled[dialect.name] = Compiled.of(self._statement, dialect, list(parameters)), found
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
        replies = round_trips.make(connection.connection.dbapi_connection, [words for words, _ in asked])
    except BaseException as error:  # noqa: BLE001 - raised again
        _raise(connection, "several statements", (), error)
    found = {known: reply.rows for (_, known), reply in zip(asked, replies, strict=True)}
    round_trips.keep(connection.info, found)
