"""The list of a person's conversations: a page of it, and those on top."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.engine import Connection

from flask_app.database import fetching, table_of, utc_now
from flask_app.errors import BadRequest
from flask_app.models import Conversation, Run, Share, User
from flask_app.services.queries import paging

PAGE = 40
ANYWHERE, UNFILED = "anywhere", "unfiled"  # instead of a folder's id

# MariaDB would read the index of the whole list instead, though nearly all that is in it may be in folders.
_BY_FOLDER = "FORCE INDEX (ix_conversations_user_id_archived_folder_id_updated_at_id)"

_table, _runs = table_of(Conversation), table_of(Run)
_columns = _table.c
_running = exists().where(_runs.c.conversation_id == _columns.id, _runs.c.status == "running")
_shown = (_columns.id, _columns.folder_id, _columns.title, _columns.updated_at, _columns.pinned_at, _columns.archived)


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in the list. `running`: an answer is being written in it now; `shared`: it has a link."""

    id: str
    folder_id: str | None
    title: str
    updated_at: datetime
    pinned_at: datetime | None
    archived: bool
    running: bool
    shared: bool


def listed(
    actor: User, *, archived: bool = False, folder: str = ANYWHERE, before: str | None = None, limit: int = PAGE
) -> tuple[list[Listed], str | None]:
    """The newest first, and the cursor of the next page; raises BadRequest for a bad limit or cursor.

    Pinned ones are in their places among the others. Those that are archived are a list of their own. `folder` is the
    id of one, UNFILED for those that are in none, or ANYWHERE.
    """
    with fetching() as connection:
        return page(connection, actor, archived=archived, folder=folder, before=before, limit=limit)


def page(
    connection: Connection, actor: User, *, archived: bool, folder: str, before: str | None, limit: int
) -> tuple[list[Listed], str | None]:
    """`listed`, on the caller's connection."""
    paging.checked_limit(limit)
    query = _of(actor, archived=archived).order_by(_columns.updated_at.desc(), _columns.id.desc()).limit(limit + 1)
    if folder != ANYWHERE:
        query = query.where(_columns.folder_id == (None if folder == UNFILED else folder))
        for server in ("mysql", "mariadb"):
            query = query.with_hint(_table, _BY_FOLDER, server)
    if before:
        query = query.where(*after(before))
    rows = _rows(connection, query)
    return rows[:limit], cursor(rows[limit - 1]) if len(rows) > limit else None


def pinned(actor: User) -> list[Listed]:
    """Those on top of the list: the newest pin first."""
    with fetching() as connection:
        return pins(connection, actor)


def pins(connection: Connection, actor: User) -> list[Listed]:
    """`pinned`, on the caller's connection."""
    newest_first = (_columns.pinned_at.desc(), _columns.id.desc())
    return _rows(connection, _of(actor, archived=False).where(_columns.pinned_at.is_not(None)).order_by(*newest_first))


def _of(actor: User, *, archived: bool) -> Select[*tuple[Any, ...]]:
    # `IS` is no equality for MariaDB: it would sort the whole list, which so lies sorted in its index.
    return select(*_shown, _running, _shared(utc_now())).where(
        _columns.user_id == actor.id, _columns.archived == archived
    )


def _shared(now: datetime) -> ColumnElement[bool]:
    """One whose time is over is none."""
    return exists().where(Share.conversation_id == _columns.id, Share.is_open(now))


def _rows(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[Listed]:
    return [Listed(*row) for row in connection.execute(query)]


def cursor(last: Listed | Conversation) -> str:
    """Where the next page begins, behind this one."""
    return f"{last.updated_at.replace(tzinfo=None).isoformat()}~{last.id}"


def after(cursor: str) -> tuple[ColumnElement[bool], ...]:
    """In the list's order; raises BadRequest("bad_cursor").

    For a comparison of pairs MariaDB would read the whole list.
    """
    moment, _, conversation_id = cursor.partition("~")
    try:
        position = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadRequest("bad_cursor") from error
    updated_at = _columns.updated_at
    return updated_at <= position, or_(updated_at < position, _columns.id < conversation_id)
