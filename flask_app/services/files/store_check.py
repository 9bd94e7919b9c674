"""Is in the store what the rows say, and what lies there besides? Looking changes nothing; `remove_left` does."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select

from flask_app import config
from flask_app.database import fetching, table_of, transaction
from flask_app.models import KeptFile, RemovedObject
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.files import contents, object_store
from flask_app.services.files.stores import Away

AT_ONCE = 500

_files, _removed = table_of(KeptFile), table_of(RemovedObject)
_IS_HERE = (_files.c.absent.is_(None), _files.c.digest != _files.c.id)
_COUNTED = select(func.count(), func.count(_files.c.object_key)).where(*_IS_HERE)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many contents are where; which files miss theirs in the store; which objects there are no file's."""

    in_database: int
    in_store: int
    missing: list[str]
    left: list[str]


def counted() -> tuple[int, int]:
    """How many are in the database, and in the store, by their rows."""
    with fetching() as connection:
        every, in_store = connection.execute(_COUNTED).one()
    return every - in_store, in_store


def look() -> Standing:
    """Raises Unavailable("files_unavailable")."""
    rows = [row for some in _rows() for row in some]
    listed = set(_listed())
    in_database, _ = counted()
    missing = [row.id for row in rows if row.object_key not in listed and _is_missing(row)]
    left = sorted(listed - {row.object_key for row in rows})
    return Standing(in_database, len(rows), missing, [key for some in _chunks(left) for key in _nobodys(some)])


def remove_left(actor: Actor, left: Sequence[str]) -> None:
    """Raises Unavailable("files_unavailable")."""
    for key in left:
        object_store.ask(lambda key=key: object_store.store().remove(key))  # type: ignore[misc]
    with transaction() as session:
        details = {"count": len(left)}
        audit_service.record(session, actor.user, "files.remove_left", "files", details, actor.address)


def _rows() -> Iterator[Sequence[Row[str, str]]]:
    query, after = select(_files.c.id, _files.c.object_key).where(_files.c.object_key.is_not(None), *_IS_HERE), ""
    while True:
        with fetching() as connection:
            found = connection.execute(query.where(_files.c.id > after).order_by(_files.c.id).limit(AT_ONCE)).all()
        if not found:
            return
        yield found
        after = found[-1].id


def _listed() -> Iterator[str]:
    if config.current().files is None:
        return
    try:
        for keys in object_store.store().listed():
            yield from keys
    except Away as error:
        raise object_store.refused(error) from error


def _is_missing(row: Row[str, str]) -> bool:
    """Looked at once more: it may have come, moved or gone since."""
    if config.current().files is not None and contents.read_object(row.object_key, 1):
        return False
    return contents.is_at(row.id, row.object_key)


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[at : at + AT_ONCE] for at in range(0, len(keys), AT_ONCE))


def _nobodys(keys: Collection[str]) -> list[str]:
    """Those that no row names now either, be it to have them removed. A row is there before its object is.

    In this order: one that moves into the store goes from the second table to the first in the meantime.
    """
    with fetching() as connection:
        known = {*connection.scalars(select(_removed.c.object_key).where(_removed.c.object_key.in_(keys)))}
    with fetching() as connection:
        known |= {*connection.scalars(select(_files.c.object_key).where(_files.c.object_key.in_(keys)))}
    return [key for key in keys if key not in known]
