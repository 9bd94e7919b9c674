"""The whole database as a picture, to see what a request has changed in it."""

import hashlib

from sqlalchemy import Table, select

from flask_app.database import Base, reading

# What says only that somebody is there, and until when they are.
SEEN = {"last_seen_at", "followed_at"}


def picture() -> dict[str, tuple[int, str]]:
    """Of each table: how many rows it has, and a digest of them without the columns of `SEEN`."""
    return {table.name: _of(table) for table in Base.metadata.sorted_tables}


def _of(table: Table) -> tuple[int, str]:
    columns = [column for column in table.columns if column.name not in SEEN]
    with reading() as session:
        rows = sorted(repr(tuple(row)) for row in session.execute(select(*columns)))
    return len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
