"""Rows into a database: a file at a time into MariaDB, whose indexes are made afterwards; plain inserts elsewhere."""

import csv
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, text
from sqlalchemy.engine import Connection

from bench.ledger import story as stories
from bench.ledger.story import ATTEMPTS, LEDGER, Row, Story
from flask_app import database
from flask_app.services.ledger import spending
from flask_app.services.ledger.rollup import rollup

BATCH = 1000
MAKERS = 2  # processes that make rows while the server takes those of the block before
LOADED = (ATTEMPTS, LEDGER, rollup)
COUNTERS = (spending.spent, spending.months)  # whose day or month may lie in two blocks

_Files = tuple[dict[str, tuple[Path, list[str]]], dict[str, list[dict[str, Any]]]]
_told: Story  # of a process that makes rows


def write(story: Story) -> Iterator[int]:
    """Fill the connected database, and tell the numbers of the blocks that are in."""
    if database.engine().dialect.name == "sqlite":
        for block in sorted(story.cells):
            _insert(stories.rows_of(story, block))
            yield block
        return
    with tempfile.TemporaryDirectory(prefix="rows") as folder, _without_indexes():
        Path(folder).chmod(0o755)  # the server reads there
        with Pool(MAKERS, _remember, (story,)) as makers:
            tasks = [(block, Path(folder)) for block in sorted(story.cells)]
            for (block, _), made in zip(tasks, makers.imap(_to_files, tasks), strict=True):
                _load(*made)
                yield block


def _insert(rows: Iterable[Row]) -> None:
    waiting: dict[str, list[dict[str, Any]]] = {}
    with database.writing() as connection:
        for table, row in rows:
            waiting.setdefault(table.name, []).append(_aware(row))
            if len(waiting[table.name]) == BATCH:
                _insert_batch(connection, table, waiting.pop(table.name))
        for name, rest in waiting.items():
            _insert_batch(connection, database.Base.metadata.tables[name], rest)


def _insert_batch(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if table in COUNTERS:
        spending.add_rows(connection, table, rows)
    else:
        connection.execute(insert(table), rows)


def _aware(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for name, value in row.items()}


def _remember(story: Story) -> None:
    global _told
    _told = story


def _to_files(task: tuple[int, Path]) -> _Files:
    """The block's rows as files by table, and what goes into counters that exist already."""
    block, folder = task
    files: dict[str, tuple[Path, list[str]]] = {}
    counted: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as opened:
        writers: dict[str, Any] = {}
        for table, row in stories.rows_of(_told, block):
            if table in COUNTERS:
                counted.setdefault(table.name, []).append(row)
                continue
            if table.name not in writers:
                path = folder / f"{table.name}.{block}"
                files[table.name] = path, list(row)
                file = opened.enter_context(path.open("w", encoding="utf-8", newline=""))
                writers[table.name] = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE)
            writers[table.name].writerow(["\\N" if value is None else value for value in row.values()])
    return files, counted


def _load(files: dict[str, tuple[Path, list[str]]], counted: dict[str, list[dict[str, Any]]]) -> None:
    with database.writing() as connection:
        for name, (path, columns) in files.items():
            names = ", ".join(f"`{column}`" for column in columns)
            connection.exec_driver_sql(f"LOAD DATA INFILE '{path}' INTO TABLE {name} CHARACTER SET utf8mb4 ({names})")
            path.unlink()
        for table in COUNTERS:
            rows = counted.get(table.name, [])
            for start in range(0, len(rows), BATCH):
                spending.add_rows(connection, table, rows[start : start + BATCH])


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Made in one go afterwards they take minutes; row by row they would take hours."""
    for table in LOADED:
        _alter(table, [f"DROP INDEX {index.name}" for index in table.indexes])
    yield
    for table in LOADED:
        columns = {index.name: ", ".join(f"`{column.name}`" for column in index.columns) for index in table.indexes}
        _alter(table, [f"ADD INDEX {name} ({each})" for name, each in columns.items()])
    with database.writing() as connection:
        connection.execute(text(f"ANALYZE TABLE {', '.join(table.name for table in (*LOADED, *COUNTERS))}"))


def _alter(table: Table, changes: list[str]) -> None:
    with database.writing() as connection:
        connection.execute(text(f"ALTER TABLE {table.name} {', '.join(changes)}"))
