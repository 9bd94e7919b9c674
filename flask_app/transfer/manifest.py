"""What a backup says of itself: first of what it is, at last of what it held."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Table

from flask_app.transfer.rows import Fingerprint
from flask_app.transfer.totals import Total

ABOUT, MANIFEST, SECRETS = "about.json", "manifest.json", "secrets.json"
ROWS, FILES = "rows", "instance"


class About(msgspec.Struct, kw_only=True):
    """`schema` is the migration that made the tables, `tables` their columns in the order of the rows' values."""

    format: Literal[1] = 1
    version: str
    schema: str
    database: str
    made_at: datetime
    tables: dict[str, list[str]]


def columns_of(tables: Iterable[Table]) -> dict[str, list[str]]:
    return {str(table.name): [str(column.name) for column in table.columns] for table in tables}


class Manifest(msgspec.Struct, kw_only=True):
    """`ledger` is by the person's id, `running` counts answers in the making, `digest` is of what came before.

    `objects` counts contents of files that lie in a store, and not here.
    """

    tables: dict[str, Fingerprint]
    ledger: dict[str, Total]
    running: int
    files: int
    digest: str
    objects: int = 0

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.tables.values())

    @property
    def entries(self) -> int:
        return sum(each.entries for each in self.ledger.values())
