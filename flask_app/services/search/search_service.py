"""Searching one's own conversations: what has all the words is found by the index, and proved by its text."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection

from flask_app import offload
from flask_app.database import fetching, table_of
from flask_app.domain import search_terms
from flask_app.domain.search_terms import Query, Snippet
from flask_app.errors import BadRequest
from flask_app.models import Conversation, Folder, Message, User
from flask_app.services.search import search_postings
from flask_app.services.search.search_postings import BLOCK, MESSAGES, TITLES, documents, postings

PAGE = 20
MOST_LETTERS = 200
# Texts may have the words, but apart: a page looks at so many characters, and the next one goes on. Finding and reading
# a text is work too.
MOST_CHARACTERS, OF_EACH_TEXT = 200_000, 2_000
LONG_TEXT = 20_000  # looked at where nobody waits for it
AT_A_TIME = 50_000  # characters, then others have the processor

_conversations, _folders, _messages = table_of(Conversation), table_of(Folder), table_of(Message)


@dataclass(frozen=True, slots=True)
class Hit:
    """A title, without message and role, or a message that has what was searched for. `folder`: the name of its own."""

    conversation_id: str
    title: str
    folder: str | None
    archived: bool
    message_id: str | None
    role: str | None
    at: datetime
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the list of all that may be found: titles come first, and the newest of each."""

    shelf: int
    number: int

    def __str__(self) -> str:
        return f"{self.shelf}-{self.number}"

    @classmethod
    def of(cls, cursor: str) -> "_Place":
        shelf, _, number = cursor.partition("-")
        if shelf not in ("0", "1") or not (number.isascii() and number.isdigit() and len(number) < 10):
            raise BadRequest("bad_cursor")
        return cls(int(shelf), int(number))


def search(actor: User, text: str, *, before: str | None = None) -> tuple[list[Hit], str | None]:
    """A page of hits, and the cursor of the next one.

    Raises BadRequest("search_empty", "search_too_long", "bad_cursor").
    """
    if len(text) > MOST_LETTERS:
        raise BadRequest("search_too_long", limit=MOST_LETTERS)
    query = search_terms.query_of(text)
    if query is None:
        raise BadRequest("search_empty")
    with fetching() as connection:
        return _page(connection, actor.id, query, _Place.of(before) if before else None)


def _page(connection: Connection, user_id: str, query: Query, before: _Place | None) -> tuple[list[Hit], str | None]:
    hits: list[Hit] = []
    looked_at = at_once = 0
    all_places = _places(connection, user_id, query, before)
    while places := tuple(islice(all_places, PAGE)):
        rows = _read(connection, user_id, places)
        for place in places:
            characters = OF_EACH_TEXT
            if row := rows.get(place):
                characters += len(row.text)
                hits += _hits(row, query)
            looked_at, at_once = looked_at + characters, at_once + characters
            if len(hits) == PAGE or looked_at >= MOST_CHARACTERS:
                return hits, str(place)
            if at_once >= AT_A_TIME:
                at_once = 0
                offload.give_way()
    return hits, None


def _hits(row: Any, query: Query) -> list[Hit]:
    """One, where the text has what was asked for as it was asked for."""
    if len(row.text) > LONG_TEXT:
        snippet = offload.run(search_terms.snippet_of, row.text, query)
    else:
        snippet = search_terms.snippet_of(row.text, query)
    return (
        [Hit(row.id, row.title, row.folder, row.archived, row.message_id, row.role, row.at, snippet)] if snippet else []
    )


def _places(connection: Connection, user_id: str, query: Query, before: _Place | None) -> Iterator[_Place]:
    """Where all the words are, block by block."""
    for shelf in (TITLES, MESSAGES):
        if before and before.shelf > shelf:
            continue
        first, last = search_postings.ends(connection, user_id, shelf) or (0, -1)
        end = min(last + 1, before.number) if before and before.shelf == shelf else last + 1
        for block in range((end - 1) // BLOCK, first // BLOCK - 1, -1):
            here = search_postings.conditions_of((user_id, shelf, block))
            found = (search_postings.number_of(block, mark) for mark in _common(connection, here, query))
            yield from (_Place(shelf, number) for number in sorted(found, reverse=True) if number < end)


def _common(connection: Connection, here: tuple[ColumnElement[bool], ...], query: Query) -> set[int]:
    """The documents of a block that have all the words. Words are few rows, beginnings may be many: they come last."""
    in_all: set[int] | None = None
    if query.words:
        named = select(postings.c.numbers).where(*here, postings.c.word.in_(query.words))
        found = sorted(connection.scalars(named), key=len)
        if len(found) < len(query.words):
            return set()
        in_all = set(search_postings.marks(found[0]))
        for numbers in found[1:]:
            if not in_all:
                return set()
            in_all.intersection_update(search_postings.marks(numbers))
    for beginning in query.beginnings:
        if in_all is not None and not in_all:
            break
        begun = (postings.c.word >= beginning, postings.c.word < beginning + "\U0010ffff")
        numbers = connection.scalars(select(postings.c.numbers).where(*here, *begun))
        found_here = {mark for each in numbers for mark in search_postings.marks(each)}
        in_all = found_here if in_all is None else in_all & found_here
    return in_all or set()


def _read(connection: Connection, user_id: str, places: tuple[_Place, ...]) -> dict[_Place, Any]:
    """What is there that is still the person's."""
    rows: dict[_Place, Any] = {}
    for shelf in {place.shelf for place in places}:
        numbers = [place.number for place in places if place.shelf == shelf]
        shown = (
            select(
                documents.c.number,
                _conversations.c.id,
                _conversations.c.title,
                _folders.c.name.label("folder"),
                _conversations.c.archived,
                _messages.c.id.label("message_id"),
                _messages.c.role,
                func.coalesce(_messages.c.created_at, _conversations.c.updated_at).label("at"),
                func.coalesce(_messages.c.text, _conversations.c.title).label("text"),
            )
            .select_from(documents)
            .join(_conversations, _conversations.c.id == documents.c.conversation_id)
            .join(_folders, _folders.c.id == _conversations.c.folder_id, isouter=True)
            .join(_messages, _messages.c.id == documents.c.message_id, isouter=shelf == TITLES)
            .where(documents.c.user_id == user_id, documents.c.shelf == shelf, documents.c.number.in_(numbers))
            .where(_conversations.c.user_id == user_id)
        )
        rows |= {_Place(shelf, row.number): row for row in connection.execute(shown)}
    return rows
