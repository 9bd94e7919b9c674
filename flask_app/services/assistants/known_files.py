"""The documents that a person's own assistant knows: files of theirs, which stay for as long as one has them."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, table_of, utc_now
from flask_app.domain import files
from flask_app.errors import Invalid
from flask_app.models import Assistant, AssistantFile, Group, KeptFile, User
from flask_app.services.files import file_service, message_files

MOST = 10  # of one assistant
MOST_WORDS_MB = 4  # of all its documents: they are searched with each question

_files, _known = table_of(KeptFile), table_of(AssistantFile)
_OF_ASSISTANT = (
    select(
        *(_files.c.id, _known.c.name, _files.c.kind, _files.c.content_type, _files.c.bytes),
        *(_files.c.pages, _files.c.tokens),
    )
    .join(_known, _known.c.file_id == _files.c.id)
    .where(_known.c.assistant_id == bindparam("assistant"))
    .order_by(_known.c.position)
)


class Known(NamedTuple):
    """A document without its words; `tokens` is about how many these are."""

    id: str
    name: str
    kind: str
    content_type: str
    bytes: int
    pages: int | None
    tokens: int


def of(assistant_id: str) -> list[Known]:
    """In their order."""
    with fetching() as connection:
        return [Known(*row) for row in connection.execute(_OF_ASSISTANT, {"assistant": assistant_id})]


def check(file_ids: Sequence[str]) -> None:
    """Raises Invalid("too_many_known_files")."""
    if len(file_ids) > MOST or len(set(file_ids)) != len(file_ids):
        raise Invalid("too_many_known_files", limit=MOST)


def check_words(count: int) -> None:
    """So many bytes of them. Raises Invalid("too_many_known_words")."""
    if count > MOST_WORDS_MB << 20:
        raise Invalid("too_many_known_words", limit=MOST_WORDS_MB)


def check_kind(kind: str) -> None:
    """Raises Invalid("known_picture")."""
    if kind == files.PICTURE:
        raise Invalid("known_picture")


def check_adding(session: Session, actor: User, added: Collection[str]) -> None:
    """Raises Forbidden("files_off") where the person's group may attach no files."""
    if added:
        file_service.require_room(session.get_one(Group, actor.group_id).file_quota_mb)


def put(session: Session, actor: User, assistant: Assistant, file_ids: Sequence[str]) -> None:
    """From now on it knows these, and no others. Nobody removes one of them meanwhile.

    Raises Invalid("file_gone") where one is not there, or is somebody else's; and what the checks above do.
    """
    connection = session.connection()
    of_it = _known.c.assistant_id == assistant.id
    known = select(_known.c.file_id, _known.c.name).where(of_it).order_by(_known.c.position)
    names = {row.file_id: row.name for row in connection.execute(known)}
    if list(names) == list(file_ids):
        return
    check_adding(session, actor, set(file_ids) - names.keys())
    if message_files.mark(connection, actor, file_ids, utc_now()) != set(file_ids):
        raise Invalid("file_gone")
    words = (_files.c.stored_bytes - _files.c.bytes).label("words")
    chosen = select(_files.c.id, _files.c.name, _files.c.kind, words).where(_files.c.id.in_(file_ids))
    rows = {row.id: row for row in connection.execute(chosen)}
    for row in rows.values():
        check_kind(row.kind)
    check_words(sum(row.words for row in rows.values()))
    connection.execute(delete(_known).where(of_it))
    taken = [
        {"assistant_id": assistant.id, "file_id": each, "position": at, "name": names.get(each, rows[each].name)}
        for at, each in enumerate(file_ids)
    ]
    if taken:
        connection.execute(insert(_known), taken)
