"""Pages that a model found, or opened, while it answered: kept with the answer, and counted on from its question's."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, exists, insert, select
from sqlalchemy.engine import Connection

from flask_app.database import new_id, table_of, utc_now
from flask_app.domain.web_sources import FOUND, MOST_NUMBER, Search, Source
from flask_app.models import Message, WebSearch, WebSource
from flask_app.services.web_search import searches

_searches, _sources = table_of(WebSearch), table_of(WebSource)
_IS_THERE = select(exists().where(Message.id == bindparam("message")))
_KNOWN = (
    select(_sources.c.number, _sources.c.url)
    .join(_searches, _searches.c.id == _sources.c.search_id)
    .where(_searches.c.message_id.in_(bindparam("messages", expanding=True)))
    .order_by(_sources.c.number.desc())
)


class Kept(NamedTuple):
    """What a search found, with its numbers, as it is `told`; and all that is kept `of_answer`, where that grew."""

    told: Search
    of_answer: Search | None = None


def keep(connection: Connection, search: Search, *, question_id: str, message_id: str) -> Kept:
    """Write what is new of it: a page that is known has the number that it had.

    Of an answer that has gone meanwhile nothing is written.
    """
    rows = connection.execute(_KNOWN, {"messages": [question_id, message_id]}).all()
    known: dict[str, int] = {row.url: row.number for row in rows}
    last, told, fresh = max(known.values(), default=0), list[Source](), list[Source]()
    for each in search.sources:
        if each.url not in known and last < MOST_NUMBER:
            last = known[each.url] = last + 1
            fresh.append(msgspec.structs.replace(each, number=last))
        if number := known.get(each.url):
            told.append(msgspec.structs.replace(each, number=number))
    if fresh and connection.scalar(_IS_THERE, {"message": message_id}):
        search_id = _of_answer(connection, message_id, search.engine)
        connection.execute(insert(_sources), [_row(search_id, each) for each in fresh])
        of_answer = searches.of_messages(connection, [message_id])[message_id]
        return Kept(msgspec.structs.replace(search, sources=told), of_answer)
    return Kept(msgspec.structs.replace(search, sources=told))


def _of_answer(connection: Connection, message_id: str, engine: str) -> str:
    """The row that stands for all that the answer's model looked up; none of its words are in it."""
    if stored := searches.of_question(connection, message_id):
        return stored.id
    made = new_id()
    fresh = {"id": made, "message_id": message_id, "query": "", "engine": engine, "status": FOUND, "error_code": None}
    connection.execute(insert(_searches), fresh | {"created_at": utc_now()})
    return made


def _row(search_id: str, source: Source) -> dict[str, Any]:
    return {"search_id": search_id, **msgspec.structs.asdict(source)}
