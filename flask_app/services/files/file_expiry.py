"""Contents of files that were sent too long ago: counted, and removed one after the other.

The messages keep their names and sizes, and say that they are not here any more; what was answered stays.
"""

import time
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, or_, select, update
from sqlalchemy.engine import Connection

from flask_app.database import fetching, in_writing, table_of
from flask_app.domain import files
from flask_app.models import FilePiece, KeptFile, User
from flask_app.services.embedding import kept_vectors
from flask_app.services.files import contents, file_retention
from flask_app.services.runs import closing

BATCH = 50  # found at once
MOST_AT_ONCE = 2000  # in one turn
PAUSE_SECONDS = 0.02  # between two, for everybody else

Rule = tuple[datetime, ColumnElement[bool]]

_files, _pieces, _users = table_of(KeptFile), table_of(FilePiece), table_of(User)

log = structlog.get_logger()


def count(rules: Sequence[Rule]) -> tuple[int, int]:
    """How many are too old by now, and of how many people."""
    counted = people = 0
    with fetching() as connection:
        for rule in rules:
            found = _due(rule).with_only_columns(func.count(), func.count(_files.c.user_id.distinct()))
            row = connection.execute(found).one()
            counted, people = counted + row[0], people + row[1]
    return counted, people


def remove(rules: Sequence[Rule]) -> None:
    """A transaction each; what a turn does not come to is left to the next."""
    removed = 0
    for rule in rules:
        query = _due(rule).order_by(_files.c.created_at, _files.c.id).limit(BATCH)
        found = _batch(query)
        while found and removed < MOST_AT_ONCE and not closing.is_closed():
            removed += sum(expire(each.id, rule[0]) for each in found)
            found = _batch(query.where(_is_behind(found[-1])))
    if removed:
        log.info("files_expired", count=removed)


def _batch(query: Select[str, datetime]) -> Sequence[Row[str, datetime]]:
    with fetching() as connection:
        return connection.execute(query).all()


def _is_behind(last: Row[str, datetime]) -> ColumnElement[bool]:
    """What was passed is not read again, whether it has gone or was sent anew."""
    at = _files.c.created_at
    return and_(at >= last.created_at, or_(at > last.created_at, _files.c.id > last.id))


def expire(file_id: str, before: datetime) -> bool:
    """False where it was sent again in this moment, or is gone. Nobody finds it by its digest from then on."""
    time.sleep(PAUSE_SECONDS)
    emptied = update(_files).where(_files.c.id == file_id, _is_old(before))
    nothing = {"text": "", "stored_bytes": 0, "tokens": 0, "content_digest": None, "object_key": None}
    nothing |= {"digest": _files.c.id, "absent": files.EXPIRED}

    def work(connection: Connection) -> bool:
        object_key = contents.locked_key(connection, file_id)
        if not connection.execute(emptied.values(nothing)).rowcount:
            return False
        connection.execute(delete(_pieces).where(_pieces.c.file_id == file_id))
        kept_vectors.forget(connection, file_id)
        contents.note_removed(connection, object_key)
        return True

    return in_writing(work)


def _is_old(before: datetime) -> ColumnElement[bool]:
    """Came, and last went with a message, before then, and is whole. What an assistant knows does not grow old."""
    is_here = and_(_files.c.absent.is_(None), _files.c.digest != _files.c.id, ~file_retention.known)
    return and_(is_here, _files.c.created_at < before, or_(_files.c.sent_at.is_(None), _files.c.sent_at < before))


def _due(rule: Rule) -> Select[str, datetime]:
    """What no message has goes as a whole (`file_retention`)."""
    before, whose = rule
    return (
        select(_files.c.id, _files.c.created_at)
        .select_from(_files)
        .join(_users, _users.c.id == _files.c.user_id)
        .where(whose, _is_old(before), ~file_retention.unsent)
    )
