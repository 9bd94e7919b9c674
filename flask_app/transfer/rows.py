"""Rows as lines of JSON, the same whichever database they come from, and the fingerprint of a table's rows."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Table, insert, select
from sqlalchemy.exc import DataError, IntegrityError

from flask_app.errors import Conflict

AT_ONCE = 1000
LONG_AT_ONCE = 4  # of rows that may be megabytes each
BATCH_BYTES = 1 << 20

_encode = msgspec.json.Encoder().encode
_READERS: dict[type, Callable[[str], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    bytes: base64.b64decode,
}


class Fingerprint(msgspec.Struct):
    """How many rows there are, and the sum of their digests: equal for equal rows, in whatever order they come."""

    rows: int = 0
    digest: str = "0" * 64

    def add(self, lines: list[bytes]) -> None:
        total = int(self.digest, 16) + sum(int.from_bytes(hashlib.sha256(line).digest()) for line in lines)
        self.rows, self.digest = self.rows + len(lines), f"{total % (1 << 256):064x}"


def batches(connection: Connection, table: Table) -> Iterator[list[bytes]]:
    """All rows of a table, as lines without their ends; never more of them in memory than a batch."""
    batch: list[bytes] = []
    size = 0
    at_once = LONG_AT_ONCE if any(map(_is_long, table.columns)) else AT_ONCE
    for row in connection.execute(select(table).execution_options(yield_per=at_once)):
        line = _encode(tuple(row))
        batch.append(line)
        size += len(line)
        if size >= BATCH_BYTES or len(batch) >= AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _is_long(column: Column[Any]) -> bool:
    """Has its text, or have its bytes, no length that they end at? So LONGTEXT and MEDIUMBLOB have none."""
    return column.type.python_type in {str, bytes} and getattr(column.type, "length", None) is None


def fingerprint(connection: Connection, table: Table) -> Fingerprint:
    found = Fingerprint()
    for batch in batches(connection, table):
        found.add(batch)
    return found


def write(connection: Connection, table: Table, columns: list[str], lines: Iterable[bytes]) -> None:
    """Add rows, whose values stand in the order of `columns`.

    Raises Conflict("row_refused") where the database does not take one: SQLite does not care how long a text is, and
    takes for different what MariaDB takes for the same.
    """
    readers = [_reader(table, name) for name in columns]
    values = [
        {name: read(value) for name, read, value in zip(columns, readers, msgspec.json.decode(line), strict=True)}
        for line in lines
    ]
    try:
        connection.execute(insert(table), values)
    except (DataError, IntegrityError) as error:
        raise Conflict("row_refused", table=table.name, reason=error.orig) from error


def _reader(table: Table, column: str) -> Any:
    """How a value of JSON becomes the column's: by what its type holds, for MEDIUMBLOB is no LargeBinary."""
    read = _READERS.get(table.columns[column].type.python_type)
    if read is None:
        return lambda value: value
    return lambda value: None if value is None else read(value)
