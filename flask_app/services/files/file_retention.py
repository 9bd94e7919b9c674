"""Files that no message and no assistant has go, a day after they came, or were last taken: a draft may hold them."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from flask_app.database import fetching, in_writing, table_of
from flask_app.models import AssistantFile, KeptFile, MessageFile
from flask_app.services.files import contents
from flask_app.services.ledger import shared_clock
from flask_app.services.runs import closing

UNSENT_FOR = timedelta(days=1)  # time to write the message that they go with, in whatever draft
AT_ONCE = 100
MOST_IN_A_ROUND = 2000
PAUSE_SECONDS = 0.02  # between two, for everybody else

_files, _goes_with, _known = table_of(KeptFile), table_of(MessageFile), table_of(AssistantFile)
unsent = ~exists().where(_goes_with.c.file_id == _files.c.id)
known = exists().where(_known.c.file_id == _files.c.id)  # an assistant of theirs has it
UNUSED = (unsent, ~known)

log = structlog.get_logger()


def prune() -> None:
    """Remove what is due, a transaction each; what a round does not come to is left to the next."""
    with fetching() as connection:
        now = shared_clock.ask(connection)  # this process's own may be a day ahead
    removed, before = 0, now - UNSENT_FOR
    while removed < MOST_IN_A_ROUND and (due := _due(before)):
        gone = 0
        for file_id in due:
            if closing.is_closed():
                return
            gone += _remove(file_id, before)
            time.sleep(PAUSE_SECONDS)
        removed += gone
        if not gone:
            break
    if removed:
        log.info("files_removed", count=removed)


def forget(user_id: str) -> bool:
    """Remove all files of somebody who has gone, whose messages have. False where the process ends before."""
    own = select(_files.c.id).where(_files.c.user_id == user_id).limit(AT_ONCE)
    while True:
        with fetching() as connection:
            found = connection.scalars(own).all()
        for file_id in found:
            if closing.is_closed():
                return False
            in_writing(partial(_forget, file_id))
        if len(found) < AT_ONCE:
            return True


def is_due(before: datetime) -> ColumnElement[bool]:
    """Came, and last went with a message or to an assistant, before then, and neither has it."""
    is_long_ago = or_(_files.c.sent_at.is_(None), _files.c.sent_at < before)
    return and_(*UNUSED, is_long_ago, _files.c.created_at < before)


def _forget(file_id: str, connection: Connection) -> None:
    """Their assistants are there for as long as their row is."""
    connection.execute(delete(_known).where(_known.c.file_id == file_id))
    contents.let_go(connection, file_id)


def _due(before: datetime) -> Sequence[str]:
    query = select(_files.c.id).where(is_due(before)).limit(AT_ONCE)
    with fetching() as connection:
        return connection.scalars(query).all()


def _remove(file_id: str, before: datetime) -> bool:
    """Looked at once more: it may be sent in this moment."""
    try:
        return in_writing(lambda connection: contents.let_go(connection, file_id, is_due(before)))
    except IntegrityError:  # it was
        return False
