"""Is what arrived what was sent? Every row, every reference and everybody's sums."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from flask_app.errors import Conflict
from flask_app.transfer import rows, totals
from flask_app.transfer.rows import Fingerprint
from flask_app.transfer.store import Store, orphans
from flask_app.transfer.totals import Total


def prove(
    target: Store, tables: dict[str, Table], sent: Mapping[str, Fingerprint], ledger: Mapping[str, Total]
) -> None:
    """Read all of `target` again; raises Conflict("copy_not_equal") with the place of the first difference."""
    with target.snapshot() as connection:
        for name, table in tables.items():
            same(rows.fingerprint(connection, table), sent.get(name), name)
        for where in orphans(connection, list(tables.values())):
            raise Conflict("copy_not_equal", where=where)
        same(totals.of_people(connection), ledger, "token_usage")


def same_columns(target: Mapping[str, Table], sent: Mapping[str, list[str]]) -> None:
    """Raises the same where a table or a column is missing on either side."""
    known = {name: {column.name for column in table.columns} for name, table in target.items()}
    same(known, {name: set(columns) for name, columns in sent.items()}, "alembic_version")


def same(found: Any, expected: Any, where: str) -> None:
    if found != expected:
        raise Conflict("copy_not_equal", where=where)
