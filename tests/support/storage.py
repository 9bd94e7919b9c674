"""The tests' database: migrated once, and brought back to that state after every test."""

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pymysql  # type: ignore[import-untyped]
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from flask_app import database
from flask_app.database import Base

ROOT = Path(__file__).resolve().parents[2]


def alembic_config(url: str) -> AlembicConfig:
    config = AlembicConfig(ROOT / "alembic.ini")
    config.attributes["url"] = url
    return config


def migrate(url: str) -> None:
    command.upgrade(alembic_config(url), "head")


def copy_migrated(database: Path) -> None:
    """Write an SQLite database at the newest schema there: a copy of one that this process has migrated."""
    database.parent.mkdir(parents=True, exist_ok=True)
    database.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "mingchat.db"
        migrate(f"sqlite:///{database}")
        return database.read_bytes()


class Connections:
    """Those that the process has when this is made."""

    def __init__(self) -> None:
        self._engines = database._engines

    def use(self) -> None:
        """If a test has connected to something, these instead."""
        if database._engines is not self._engines:
            database.disconnect()
            database._engines = self._engines


class Seeds:
    """The rows that the migrations themselves write."""

    def __init__(self, url: str) -> None:
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            self.rows = {
                table: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in Base.metadata.sorted_tables
            }
        engine.dispose()

    def restore(self) -> None:
        """Empty every table and write the migrations' rows again."""
        with database.writing() as connection:
            self.restore_through(connection)

    def restore_through(self, connection: Connection) -> None:
        with _unchecked_references(connection):
            there = filled(connection)
            for table in reversed(Base.metadata.sorted_tables):
                if table.name in there:
                    connection.execute(table.delete())
            for table, rows in self.rows.items():
                if rows:
                    connection.execute(insert(table), rows)


def filled(connection: Connection) -> set[str]:
    """The tables that hold a row, asked in one statement: most tests fill few of them."""
    quoted = connection.dialect.identifier_preparer.format_table
    tables = Base.metadata.sorted_tables
    asked = (f"SELECT '{each.name}' FROM (SELECT 1) one WHERE EXISTS (SELECT 1 FROM {quoted(each)})" for each in tables)
    return set(connection.scalars(text(" UNION ALL ".join(asked))))


@contextmanager
def _unchecked_references(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        yield
        return
    connection.execute(text("SET foreign_key_checks = 0"))
    yield
    connection.execute(text("SET foreign_key_checks = 1"))


_WRITES = re.compile(r"^(INSERT|UPDATE|DELETE|REPLACE)\b|\b(FOR UPDATE|FOR SHARE|LOCK IN SHARE MODE)\b")


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The SQL statements of this thread, and of those that begin, while the block runs: but those that look, some time
    after an answer, for who is to write its title. Threads that run already are of earlier tests, or look at something
    every few seconds: none of its business."""
    statements: list[str] = []
    others = {*threading.enumerate()} - {threading.current_thread()}

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        thread = threading.current_thread()
        is_apart = thread in others or thread.name.startswith("title-")
        if not is_apart and not statement.startswith(("BEGIN", "SELECT DATABASE()", "SELECT @@")):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@contextmanager
def broken_off_once(beginning: str) -> Iterator[list[str]]:
    """The first statement of this thread that begins so meets the end of its transaction, as of one of two that wait
    for each other; what was met."""
    met: list[str] = []
    own = threading.current_thread()

    def break_off(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(beginning) and threading.current_thread() is own and not met:
            met.append(statement)
            raise OperationalError(statement, {}, pymysql.err.OperationalError(1213, "Deadlock found"))

    event.listen(Engine, "before_cursor_execute", break_off)
    try:
        yield met
    finally:
        event.remove(Engine, "before_cursor_execute", break_off)


@contextmanager
def counted_rows() -> Iterator[list[int]]:
    """How many rows each SELECT of every thread finds, while the block runs: each is asked twice."""
    found: list[int] = []

    def note(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            again = connection.connection.cursor()
            again.execute(statement, parameters)
            found.append(len(again.fetchall()))
            again.close()

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def let_only_read(engine: Engine) -> None:
    """From now on a statement that writes, or locks, is no statement of this engine's."""

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        assert not _WRITES.search(statement), f"only read here: {statement}"

    event.listen(engine, "before_cursor_execute", refuse)
