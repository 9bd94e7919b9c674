"""A database as whole tables, apart from the application's own connections: read as it is at one moment, or filled.

Tables are those that the database has, not those of the models: of an older or a newer version they are complete too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, String, Table, func, select, text
from sqlalchemy.engine import make_url

from flask_app import config
from flask_app.database import table_of
from flask_app.engines import Engines
from flask_app.models import (
    Attempt,
    SearchDocument,
    SearchPosting,
    SearchProgress,
    ServerProcess,
    TokenUsage,
    User,
)

PATIENCE_SECONDS = 3600
_VERSIONS = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))

# A server otherwise breaks off what is read slowly, because it is being written to a disk meanwhile, and who is silent.
_BE_PATIENT = (
    f"SET SESSION net_write_timeout = {PATIENCE_SECONDS}, wait_timeout = {PATIENCE_SECONDS}"
    f" /*M!100300 , idle_transaction_timeout = {PATIENCE_SECONDS} */"
)
_UNCHECKED = {"sqlite": "PRAGMA foreign_keys = OFF", "mysql": f"{_BE_PATIENT}, foreign_key_checks = 0"}
# Derived from other rows: it is not copied, and made anew from an empty beginning.
_DERIVED = map(table_of, (SearchDocument, SearchPosting, SearchProgress))
_OF_NOW = table_of(ServerProcess)  # who serves it, and not what is in it
_LEFT_OUT = {_VERSIONS.name, _OF_NOW.name, *(table.name for table in _DERIVED)}
_OF_A_SITE = tuple(table_of(model) for model in (User, Attempt, TokenUsage))


class Store:
    """The database at `url`. Closed it holds no connection and, on SQLite, no file beside the database's own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engines = Engines(url, PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engines.dispose()

    @property
    def dialect(self) -> str:
        return self._engines.reader.dialect.name.replace("mariadb", "mysql")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Everything as it is at one moment, however long the block reads and whoever writes meanwhile."""
        with self._engines.reader.connect() as connection:
            if self.dialect == "mysql":
                connection.execution_options(isolation_level="REPEATABLE READ")
                connection.execute(text(_BE_PATIENT))
                connection.commit()
            else:
                connection.exec_driver_sql("BEGIN")  # what is given back is rolled back
            connection.execute(select(_VERSIONS)).all()  # from now on
            yield connection

    @contextmanager
    def filling(self) -> Iterator[Connection]:
        """To write rows before the rows that they refer to; `orphans` finds those that miss theirs afterwards."""
        with self._engines.writer.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(_UNCHECKED[self.dialect])
            cursor.close()
            connection.detach()  # it is for nobody else
            yield connection

    def revision(self) -> str | None:
        """The schema's; None where no migration has been finished here."""
        with self._engines.reader.connect() as connection:
            if not connection.dialect.has_table(connection, _VERSIONS.name):
                return None
            return connection.scalar(select(_VERSIONS.c.version_num))

    def tables(self) -> list[Table]:
        """Those that are referred to before those that refer to them."""
        metadata = MetaData()
        metadata.reflect(self._engines.reader)
        tables = [table for table in metadata.sorted_tables if table.name not in _LEFT_OUT]
        for column in (column for table in tables for column in table.columns):
            if isinstance(column.type, Boolean):
                column.type = Integer()  # as MariaDB has it
        return tables

    def is_blank(self) -> bool:
        """Has nobody used it? No table at all, or only what migrations write and a first start adds."""
        with self._engines.reader.connect() as connection:
            found = [table for table in _OF_A_SITE if connection.dialect.has_table(connection, table.name)]
            return not any(connection.scalar(select(func.count()).select_from(table)) for table in found)

    def prepare(self, revision: str) -> None:
        """Have the tables of a schema, all of them empty. Until `finish` no server takes them for a database."""
        self.wipe()
        command.upgrade(_alembic(self.url), revision)
        with self.filling() as connection:
            for table in (_VERSIONS, *self.tables()):
                connection.execute(table.delete())
            connection.commit()

    def finish(self, revision: str) -> None:
        """Say of which schema the tables are, and bring them to the newest."""
        with self._engines.writer.begin() as connection:
            connection.execute(_VERSIONS.insert(), {"version_num": revision})
        command.upgrade(_alembic(self.url), "head")

    def wipe(self) -> None:
        """Drop every table."""
        metadata = MetaData()
        metadata.reflect(self._engines.reader)
        with self.filling() as connection:
            metadata.drop_all(connection)
            connection.commit()


def known_revisions() -> set[str]:
    """Those that this version has migrations for."""
    return {
        each.revision
        for each in ScriptDirectory.from_config(AlembicConfig(config.ROOT / "alembic.ini")).walk_revisions()
    }


def file_of(url: str) -> Path | None:
    """An SQLite database's file; None for a server."""
    made = make_url(url)
    return Path(made.database or "") if made.get_backend_name() == "sqlite" else None


def shown(url: str) -> str:
    """The address as somebody wrote it, without its password."""
    made = make_url(url)
    return made.render_as_string() if made.password else url


def orphans(connection: Connection, tables: list[Table]) -> Iterator[str]:
    """The references that lead nowhere, as table.column."""
    for table in tables:
        for key in table.foreign_keys:
            other = key.column.table.alias()
            there = select(other.c[key.column.name]).where(other.c[key.column.name] == key.parent)
            if connection.scalar(select(func.count()).where(key.parent.is_not(None), ~there.exists())):
                yield f"{table.name}.{key.parent.name}"


def _alembic(url: str) -> AlembicConfig:
    made = AlembicConfig(config.ROOT / "alembic.ini")
    made.attributes["url"] = url
    return made
