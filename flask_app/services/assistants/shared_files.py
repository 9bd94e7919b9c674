"""What shared assistants know of documents: copies of their words. Nobody reads them but the models that are asked."""

from collections.abc import Sequence
from typing import IO

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import fetching, new_id, table_of, utc_now
from flask_app.domain import files
from flask_app.domain.events import estimate_tokens
from flask_app.errors import Invalid, TooLarge
from flask_app.models import KeptFile, SharedAssistantFile, User
from flask_app.services.assistants import known_files
from flask_app.services.assistants.known_files import Known
from flask_app.services.files import reader

_NOBODY = "(command line)"  # whose place it takes while a file is read

_files, _known = table_of(KeptFile), table_of(SharedAssistantFile)
_COLUMNS = ("id", "name", "kind", "content_type", "bytes", "pages", "tokens")
_OF_ASSISTANT = (
    select(*(_known.c[name] for name in _COLUMNS))
    .where(_known.c.shared_assistant_id == bindparam("assistant"))
    .order_by(_known.c.position)
)


def of(assistant_id: str) -> list[Known]:
    """In their order."""
    with fetching() as connection:
        return of_it(connection, assistant_id)


def of_it(connection: Connection, assistant_id: str) -> list[Known]:
    """The same within a transaction."""
    return [Known(*row) for row in connection.execute(_OF_ASSISTANT, {"assistant": assistant_id})]


def put(session: Session, actor: User | None, assistant_id: str, file_ids: Sequence[str]) -> None:
    """From now on it knows these, and no others: some that it knew, and files of whoever acts, whose words are copied.

    The assistant is locked. Raises Invalid("file_gone") where one is neither; and what the checks of `known_files` do.
    """
    connection = session.connection()
    there = {each.id for each in of_it(connection, assistant_id)}
    if actor is not None:
        known_files.check_adding(session, actor, set(file_ids) - there)
    of_assistant = _known.c.shared_assistant_id == assistant_id
    connection.execute(delete(_known).where(of_assistant, _known.c.id.not_in(file_ids)))
    for position, file_id in enumerate(file_ids):
        if file_id in there:
            connection.execute(update(_known).where(_known.c.id == file_id).values(position=position))
        else:
            _copy(connection, actor, file_id, {"shared_assistant_id": assistant_id, "position": position})
    _check_words(connection, assistant_id)


def read(content: IO[bytes], name: str) -> dict[str, object]:
    """The row that a file makes, but for its place. Raises TooLarge, and what `reader.read` and `check_kind` do."""
    if content.seek(0, 2) > files.MOST_BYTES:
        raise TooLarge("file_too_large", limit=files.MOST_MB)
    with reader.read(content, _NOBODY) as found:
        known_files.check_kind(found.kind)
        row = {each: getattr(found, each) for each in ("kind", "content_type", "bytes", "pages", "text")}
        tokens = estimate_tokens(files.document(name, found.pages, found.text))
        return row | {"name": name, "tokens": tokens, "text_bytes": len(found.text.encode())}


def add(session: Session, assistant_id: str, row: dict[str, object]) -> None:
    """One that was read, behind those that it knows. The assistant is locked."""
    connection = session.connection()
    there = of_it(connection, assistant_id)
    known_files.check([*(each.id for each in there), ""])
    last = select(func.max(_known.c.position)).where(_known.c.shared_assistant_id == assistant_id)
    place = {"shared_assistant_id": assistant_id, "position": (connection.scalar(last) or 0) + 1}
    _insert(connection, row | place)
    _check_words(connection, assistant_id)


def remove(session: Session, assistant_id: str, file_id: str) -> None:
    """Raises Invalid("file_gone")."""
    it = delete(_known).where(_known.c.id == file_id, _known.c.shared_assistant_id == assistant_id)
    if not session.connection().execute(it).rowcount:
        raise Invalid("file_gone")


def _copy(connection: Connection, actor: User | None, file_id: str, place: dict[str, object]) -> None:
    columns = [_files.c[name] for name in (*_COLUMNS[1:], "stored_bytes", "text")]
    whole = (_files.c.id == file_id, _files.c.digest != _files.c.id, _files.c.user_id == (actor.id if actor else ""))
    found = connection.execute(select(*columns).where(*whole)).one_or_none()
    if found is None:
        raise Invalid("file_gone")
    known_files.check_kind(found.kind)
    row = dict(found._mapping)  # noqa: SLF001 - a part of what rows offer
    row["text_bytes"] = row.pop("stored_bytes") - found.bytes
    _insert(connection, row | place)


def _insert(connection: Connection, row: dict[str, object]) -> None:
    connection.execute(insert(_known), row | {"id": new_id(), "created_at": utc_now()})


def _check_words(connection: Connection, assistant_id: str) -> None:
    words = select(func.sum(_known.c.text_bytes)).where(_known.c.shared_assistant_id == assistant_id)
    known_files.check_words(int(connection.scalar(words) or 0))
