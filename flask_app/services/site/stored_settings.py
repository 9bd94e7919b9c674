"""The rows of `settings`, for whoever changes them: one after the other, also where none is there yet."""

from collections.abc import Callable, Mapping

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import Result, in_transaction, table_of
from flask_app.models import Setting

_rows = table_of(Setting)
_LOCKED = (
    select(_rows.c.name, _rows.c.value)
    .where(_rows.c.name.in_(bindparam("names", expanding=True)))
    .order_by(_rows.c.name)
    .with_for_update()
)


def in_turn(work: Callable[[Session], Result]) -> Result:
    """Run work that changes settings in a transaction, and again where somebody else stored one first meanwhile.

    What is not there cannot be locked: of two who store it at once, one finds it on the second go.
    """
    try:
        return in_transaction(work)
    except IntegrityError:
        return in_transaction(work)


def locked(session: Session, *names: str) -> dict[str, str]:
    """Those that are stored, which nobody else changes before the transaction ends."""
    return {row.name: row.value for row in session.execute(_LOCKED, {"names": names})}


def keep(session: Session, found: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Store values; `found` is what `locked` gave of them."""
    for name, value in values.items():
        if name in found:
            session.execute(update(_rows).where(_rows.c.name == name).values(value=value))
        else:
            session.execute(insert(_rows).values(name=name, value=value))
