"""Locks on runs' rows without waiting for who holds them, a machine without power perhaps."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.models import Run

_runs = table_of(Run)
_FREE = (
    select(_runs.c.id)
    .where(_runs.c.id.in_(bindparam("runs", expanding=True)), _runs.c.status == "running")
    .with_for_update(skip_locked=True)
)


def lock_free(connection: Connection, runs: Collection[str], *conditions: ColumnElement[bool]) -> Sequence[str]:
    """Lock those of the runs, still running, that meet the conditions and that nobody else holds; gives their ids."""
    return connection.scalars(_FREE.where(*conditions), {"runs": list(runs)}).all()
