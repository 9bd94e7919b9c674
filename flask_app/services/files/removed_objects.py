"""Objects that no file has any more go from the store, as soon as it takes that."""

from collections.abc import Sequence

import structlog
from sqlalchemy import delete, select, update

from flask_app import config
from flask_app.column_types import ByServer
from flask_app.database import fetching, in_writing, table_of
from flask_app.errors import Unavailable
from flask_app.models import RemovedObject
from flask_app.services.files import object_store
from flask_app.services.runs import closing

AT_ONCE = 100
MOST_IN_A_ROUND = 2000

_removed = table_of(RemovedObject)
_DUE = select(_removed.c.object_key).where(_removed.c.due_at <= ByServer(0)).order_by(_removed.c.due_at).limit(AT_ONCE)

log = structlog.get_logger()


def prune() -> None:
    """Several processes may do so at once. What the store does not take now is left to the next round.

    It stands behind the others then: one that the store does not let go of holds none of them.
    """
    if config.current().files is None:
        return
    removed = 0
    try:
        while removed < MOST_IN_A_ROUND and (due := _due()):
            for object_key in due:
                if closing.is_closed():
                    return
                _remove(object_key)
                removed += 1
    except Unavailable:
        log.warning("objects_not_removed", removed=removed)
    if removed:
        log.info("objects_removed", count=removed)


def _due() -> Sequence[str]:
    with fetching() as connection:
        return connection.scalars(_DUE).all()


def _remove(object_key: str) -> None:
    is_it = _removed.c.object_key == object_key
    try:
        object_store.ask(lambda: object_store.store().remove(object_key))
    except Unavailable:
        in_writing(lambda connection: connection.execute(update(_removed).where(is_it).values(due_at=ByServer(0))))
        raise
    in_writing(lambda connection: connection.execute(delete(_removed).where(is_it)))
