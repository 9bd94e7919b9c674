"""Contents on their way to where new ones go: into the store, or out of it into the database. One after the other.

Each is whole in one place before its row says so, and then goes from the other. Whoever breaks this off has it go on by
starting it again; several at once are one too many, and harm nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.engine import Connection

from flask_app import config
from flask_app.column_types import ByServer
from flask_app.database import fetching, in_writing, table_of, transaction
from flask_app.domain import files
from flask_app.errors import Invalid, Unavailable
from flask_app.models import FilePiece, KeptFile, RemovedObject
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.files import contents, object_store
from flask_app.services.operations import disk

AT_ONCE = 100
FORGOTTEN_SECONDS = 86_400  # after which an object that was put for a row that never had it goes

_files, _pieces, _removed = table_of(KeptFile), table_of(FilePiece), table_of(RemovedObject)
_ROWS = select(_files.c.id, _files.c.object_key, _files.c.bytes, _files.c.content_digest)
_IS_HERE = (_files.c.absent.is_(None), _files.c.digest != _files.c.id)

File = Row[str, str | None, int, str | None]


@dataclass(slots=True)
class Moved:
    """`damaged` are the ids of those whose content is not there as a whole, or is another: they stay as they are."""

    to_store: bool
    count: int = 0
    bytes: int = 0
    damaged: list[str] = field(default_factory=list)


def move(actor: Actor) -> Moved:
    """Raises Invalid("files_url_missing"), Unavailable: "files_unavailable", "disk_full"."""
    if config.current().files is None:
        raise Invalid("files_url_missing")
    moved = Moved(to_store=object_store.takes_new())
    try:
        for file in _elsewhere(to_store=moved.to_store):
            _move(file, moved)
    finally:
        if moved.count:
            _note(actor, moved)
    return moved


def _elsewhere(*, to_store: bool) -> Iterator[File]:
    where = _files.c.object_key.is_(None) if to_store else _files.c.object_key.is_not(None)
    query, after = _ROWS.where(where, *_IS_HERE).order_by(_files.c.id).limit(AT_ONCE), ""
    while found := _batch(query.where(_files.c.id > after)):
        yield from found
        after = found[-1].id


def _batch(query: Select[str, str | None, int, str | None]) -> Sequence[File]:
    with fetching() as connection:
        return connection.execute(query).all()


def _move(file: File, moved: Moved) -> None:
    content = _content(file)
    if content is None:
        if contents.is_at(file.id, file.object_key):
            moved.damaged.append(file.id)
        return
    if _into_store(file, content) if moved.to_store else _into_database(file, content):
        moved.count, moved.bytes = moved.count + 1, moved.bytes + len(content)


def _content(file: File) -> bytes | None:
    """None where it is not what the row says, or has gone in this moment."""
    if file.object_key is None:
        read = contents.whole(file.id, None, file.bytes)
    else:
        read = contents.read_object(file.object_key, file.bytes)
    is_right = len(read) == file.bytes and file.content_digest in {None, hashlib.sha256(read).hexdigest()}
    return read if is_right else None


def _into_store(file: File, content: bytes) -> bool:
    key = object_store.new_key()
    in_writing(lambda connection: contents.note_removed(connection, key, in_seconds=FORGOTTEN_SECONDS))
    object_store.ask(lambda: object_store.store().put(key, content))
    digest = hashlib.sha256(content).hexdigest()
    return in_writing(lambda connection: _is_in_store_now(connection, file.id, key, digest))


def _is_in_store_now(connection: Connection, file_id: str, key: str, digest: str) -> bool:
    """False where it has gone, or was moved by somebody else."""
    noted = _removed.c.object_key == key
    here = update(_files).where(_files.c.id == file_id, _files.c.object_key.is_(None), *_IS_HERE)
    if not connection.execute(here.values(object_key=key, content_digest=digest)).rowcount:
        connection.execute(update(_removed).where(noted).values(due_at=ByServer(0)))
        return False
    connection.execute(delete(_pieces).where(_pieces.c.file_id == file_id))
    if not connection.execute(delete(_removed).where(noted, _removed.c.due_at > ByServer(0))).rowcount:
        raise Unavailable("files_unavailable")  # a day has passed, it may be going: all of this is taken back
    return True


def _into_database(file: File, content: bytes) -> bool:
    disk.require_reserve()
    return in_writing(lambda connection: _is_in_database_now(connection, file, content))


def _is_in_database_now(connection: Connection, file: File, content: bytes) -> bool:
    here = update(_files).where(_files.c.id == file.id, _files.c.object_key == file.object_key, *_IS_HERE)
    if not connection.execute(here.values(object_key=None)).rowcount:
        return False
    for number, at in enumerate(range(0, len(content), files.PIECE_BYTES)):
        piece = content[at : at + files.PIECE_BYTES]
        connection.execute(insert(_pieces), {"file_id": file.id, "number": number, "content": piece})
    contents.note_removed(connection, file.object_key)
    return True


def _note(actor: Actor, moved: Moved) -> None:
    place = config.current().files
    where = place.shown if place and moved.to_store else "database"
    details = {"to": where, "count": moved.count, "bytes": moved.bytes}
    with transaction() as session:
        audit_service.record(session, actor.user, "files.move", "files", details, actor.address)
