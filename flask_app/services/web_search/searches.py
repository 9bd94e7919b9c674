"""Searches of the web as they are stored, with what they found: one for a question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, exists, insert, select, update
from sqlalchemy.engine import Connection

from flask_app.database import new_id, table_of, utc_now
from flask_app.domain import web_sources
from flask_app.domain.web_sources import Search, Source
from flask_app.models import Attempt, Message, WebSearch, WebSource

_searches, _sources, _messages = table_of(WebSearch), table_of(WebSource), table_of(Message)
_attempts = table_of(Attempt)
_NAMES = tuple(name for name in Source.__struct_fields__)
_FOUND: Select[Any] = (
    select(
        *(_searches.c[name] for name in ("message_id", "status", "query", "engine", "error_code")),
        *(_sources.c[name] for name in _NAMES),
    )
    .outerjoin(_sources, _sources.c.search_id == _searches.c.id)
    .order_by(_searches.c.id, _sources.c.number)
)
_OF_SOME = _FOUND.where(_searches.c.message_id.in_(bindparam("messages", expanding=True)))
_OF_CONVERSATION = _FOUND.join(_messages, _messages.c.id == _searches.c.message_id).where(
    _messages.c.conversation_id == bindparam("conversation")
)
_ID = select(_searches.c.id, _searches.c.status).where(_searches.c.message_id == bindparam("message"))
_AGAIN = update(_searches).where(_searches.c.id == bindparam("search"))
_ON_ITS_WAY = select(
    exists().where(
        _attempts.c.state == "dispatched",
        _attempts.c.channel == web_sources.CHANNEL,
        _attempts.c.message_id == bindparam("message"),
    )
)
_END = (
    update(_searches)
    .where(_searches.c.id == bindparam("search"), _searches.c.status == web_sources.RUNNING)
    .values(status=bindparam("new_status"), error_code=bindparam("new_error"))
)
_END_OF_QUESTION = (
    update(_searches)
    .where(_searches.c.message_id == bindparam("message"), _searches.c.status == web_sources.RUNNING)
    .values(status=bindparam("new_status"), error_code=bindparam("new_error"))
)
# Is there one for a message that a statement reads?
OF_MESSAGE = exists().where(_searches.c.message_id == _messages.c.id)


@dataclass(frozen=True, slots=True)
class Stored:
    """The row of a search; what it is to find is none of it yet."""

    id: str
    status: str


def of_question(connection: Connection, message_id: str) -> Stored | None:
    row = connection.execute(_ID, {"message": message_id}).one_or_none()
    return None if row is None else Stored(row.id, row.status)


def begin(connection: Connection, message_id: str, *, query: str, engine: str) -> str:
    """Write that the question is being searched for, in the place of a search that brought nothing; gives its id.

    That is another each time: a worker that was taken for dead, and comes back, ends no search but its own.
    """
    made, now = new_id(), utc_now()
    fresh = {"id": made, "query": query, "engine": engine, "status": web_sources.RUNNING, "error_code": None}
    if before := of_question(connection, message_id):
        connection.execute(delete(_sources).where(_sources.c.search_id == before.id))
        connection.execute(_AGAIN.values(**fresh, created_at=now), {"search": before.id})
    else:
        connection.execute(insert(_searches), {**fresh, "message_id": message_id, "created_at": now})
    return made


def end(connection: Connection, search_id: str, search: Search) -> None:
    """Write what came of one that is running, once: what another wrote meanwhile stays."""
    told = {"search": search_id, "new_status": search.status, "new_error": search.error_code}
    if connection.execute(_END, told).rowcount == 1:
        _write_sources(connection, search_id, search.sources)


def end_of_question(connection: Connection, message_id: str, *, status: str, error_code: str | None) -> None:
    """The same of one whose worker died, which found nothing that anybody has: its attempt has ended before.

    Where the question is being searched for once more, by an attempt that is on its way, that goes on.
    """
    if connection.scalar(_ON_ITS_WAY, {"message": message_id}):
        return
    told = {"message": message_id, "new_status": status, "new_error": error_code}
    connection.execute(_END_OF_QUESTION, told)


def bring_in(connection: Connection, found: Mapping[str, Search]) -> None:
    """Write searches that came with messages, by the messages' ids."""
    now, names = utc_now(), ("query", "engine", "status", "error_code")
    rows = [
        {"id": new_id(), "message_id": message_id, "created_at": now, **{name: getattr(search, name) for name in names}}
        for message_id, search in found.items()
    ]
    pages = [page for row in rows for page in _rows_of(str(row["id"]), found[str(row["message_id"])].sources)]
    for table, some in ((_searches, rows), (_sources, pages)):
        if some:
            connection.execute(insert(table), some)


def of_messages(connection: Connection, message_ids: Sequence[str]) -> dict[str, Search]:
    """Those of the messages that have one."""
    return _by_message(connection.execute(_OF_SOME, {"messages": list(message_ids)})) if message_ids else {}


def of_conversation(connection: Connection, conversation_id: str) -> dict[str, Search]:
    return _by_message(connection.execute(_OF_CONVERSATION, {"conversation": conversation_id}))


def _write_sources(connection: Connection, search_id: str, sources: Sequence[Source]) -> None:
    if rows := _rows_of(search_id, sources):
        connection.execute(insert(_sources), rows)


def _rows_of(search_id: str, sources: Sequence[Source]) -> list[dict[str, Any]]:
    return [{"search_id": search_id, **{name: getattr(each, name) for name in _NAMES}} for each in sources]


def _by_message(rows: Iterable[Row[Any]]) -> dict[str, Search]:
    found: dict[str, Search] = {}
    for row in rows:
        search = found.setdefault(
            row.message_id,
            Search(status=row.status, query=row.query, engine=row.engine, error_code=row.error_code, sources=[]),
        )
        if row.number is not None:
            search.sources.append(Source(**{name: getattr(row, name) for name in _NAMES}))
    return found
