"""What waits to be added to the index: the newest first, and what was there before the index after all that is new."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from flask_app.database import first_id, table_of
from flask_app.models import Conversation, Message, Run
from flask_app.services.ledger import shared_clock
from flask_app.services.queries import join_order
from flask_app.services.search.search_postings import TITLES, documents

FAR_LOOK = timedelta(days=1)  # for instances whose clocks go wrong
SETTLED_AFTER = timedelta(minutes=2)  # after its id was made a row is there, if ever
STEP_MESSAGES, STEP_CHARACTERS, STEP_GONE = 50, 8_000, 100
LAST_ID = "~"

_messages, _runs, _conversations = table_of(Message), table_of(Run), table_of(Conversation)
_titles = documents.alias("titles")
_newest_run = select(func.max(_runs.c.id)).where(_runs.c.message_id == _messages.c.id).correlate(_messages)
_FOUND = (
    select(
        _messages.c.id,
        _messages.c.conversation_id,
        func.char_length(_messages.c.text).label("size"),
        documents.c.number,
        documents.c.words,
        _conversations.c.user_id,
        _conversations.c.title,
        _titles.c.number.label("title_number"),
        _titles.c.words.label("title_words"),
        _titles.c.version.label("title_version"),
        _newest_run.scalar_subquery().label("run_id"),
    )
    .select_from(_messages)
    .join(_conversations, _conversations.c.id == _messages.c.conversation_id)
    .outerjoin(_titles, and_(_titles.c.conversation_id == _conversations.c.id, _titles.c.shelf == TITLES))
    .where(_messages.c.status != "running")
    .limit(STEP_MESSAGES)
)
_ITS_DOCUMENT = documents.c.message_id == _messages.c.id
# In the order of their ids the next few are found at once, where MariaDB would rather begin with all conversations.
_WITHOUT = join_order.as_named(_FOUND.outerjoin(documents, _ITS_DOCUMENT).where(documents.c.number.is_(None)))
_NEW = _WITHOUT.where(_messages.c.id > bindparam("after")).order_by(_messages.c.id)
_OLD = _WITHOUT.where(_messages.c.id <= bindparam("since")).order_by(_messages.c.id.desc())
_AGAIN = _FOUND.join(documents, _ITS_DOCUMENT).where(documents.c.conversation_id.is_(None))
# Answers that were gone on with after they had been added.
_GROWN = (
    _FOUND.outerjoin(documents, _ITS_DOCUMENT)
    .join(_runs, _runs.c.message_id == _messages.c.id)
    .where(_runs.c.id > bindparam("after"), _runs.c.id <= bindparam("upto"), _runs.c.status != "running")
    .where(or_(documents.c.number.is_(None), documents.c.version < _runs.c.id))
    .order_by(_runs.c.id)
)
_RUNNING = [
    select(func.min(table.c.id)).where(
        table.c.id > bindparam("after"), table.c.id <= bindparam("upto"), table.c.status == "running"
    )
    for table in (_messages, _runs)
]
_BEING_WRITTEN = select(func.min(_runs.c.message_id), func.min(_runs.c.id)).where(_runs.c.status == "running")
_NEWEST = select(func.max(_messages.c.id))
# Found by the index of conversations: titles have no message, and are many.
_GONE = (
    select(documents)
    .where(documents.c.conversation_id.is_(None), func.coalesce(documents.c.message_id, "") == "")
    .limit(STEP_GONE)
)


@dataclass(frozen=True, slots=True)
class Found:
    """Messages to be added. Once they are, nothing is left to be seen after the id `since` and up to the id `upto`."""

    rows: list[Any]
    upto: str
    since: str
    are_old: bool = False


def find(connection: Connection, *, upto: str, since: str, far: bool) -> Found:
    """The next to be added, given what has been seen; `far`, what is in front of that too, of the last day."""
    if again := connection.execute(_AGAIN).all():
        return Found(_some(again), upto, since)
    now = shared_clock.ask(connection)
    if not upto:
        begin = _begin(connection, now)
        return Found([], begin, begin)
    new = _new(connection, now, min(upto, max(first_id(now - FAR_LOOK), since)) if far else upto, upto)
    if new.rows or not since:
        return Found(new.rows, new.upto, since)
    old = connection.execute(_OLD, {"since": since}).all()
    some = _some(old)
    is_all = len(some) == len(old) < STEP_MESSAGES
    return Found(some, new.upto, "" if is_all else _before(some[-1].id), are_old=True)


def gone(connection: Connection) -> Sequence[Any]:
    """Documents whose title or message is there no more."""
    return connection.execute(_GONE).all()


def _begin(connection: Connection, now: datetime) -> str:
    """What of all ids is old when the index begins."""
    written = connection.execute(_BEING_WRITTEN).one()
    newest = connection.scalar(_NEWEST) or ""
    return min([newest, first_id(now - SETTLED_AFTER), *(_before(each) for each in written if each)])


def _new(connection: Connection, now: datetime, after: str, seen: str) -> Found:
    new = connection.execute(_NEW, {"after": after}).all()
    some = _some(new)
    is_all = len(some) == len(new) < STEP_MESSAGES
    upto = LAST_ID if is_all else some[-1].id
    grown = connection.execute(_GROWN, {"after": after, "upto": upto}).all()
    rows = list({row.id: row for row in [*some, *_some(grown)]}.values())
    if len(_some(grown)) < len(grown) or len(grown) == STEP_MESSAGES:
        return Found(rows, seen, "")
    newest = connection.scalar(_NEWEST) or ""
    end = min(upto, first_id(now - SETTLED_AFTER), newest)
    running = [connection.scalar(query, {"after": after, "upto": end}) for query in _RUNNING]
    end = max(seen, min([end, *(_before(each) for each in running if each)]))
    # While time passes and nothing else happens there is nothing to note, but once at the end.
    return Found(rows, end if rows or end == newest else seen, "")


def _some(rows: Sequence[Any]) -> list[Any]:
    """As many as a step takes: one at least."""
    sizes = list(itertools.accumulate(row.size for row in rows))
    return [row for row, size in zip(rows, sizes, strict=True) if size <= max(STEP_CHARACTERS, sizes[0])]


def _before(id_: str) -> str:
    return id_[:-1] + chr(ord(id_[-1]) - 1)
