"""Other databases beside the tests' own, of the same kind, and all that one holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.pool import NullPool

from flask_app.database import Base, new_id

Rows = dict[str, list[tuple[Any, ...]]]


@contextmanager
def another(url: str, folder: Path) -> Iterator[str]:
    """The URL of an empty one, on the same server or in a file of `folder`."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{folder / new_id()}.db"
        return
    name = f"other_{new_id()}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
    yield make_url(url).set(database=name).render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    engine.dispose()


def rows_of(url: str) -> Rows:
    """Every row of every table, in an order of its own."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }
    engine.dispose()
    return found


def table_names(url: str) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = set(engine.dialect.get_table_names(connection))
    engine.dispose()
    return found
