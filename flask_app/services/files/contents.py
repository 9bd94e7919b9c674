"""What is in files, wherever it lies: in pieces in the database, or as an object of the store that FILES_URL names.

The row says where. Nothing of either is held while whoever reads is slow.
"""

import hashlib
from collections.abc import Iterator
from typing import IO

from sqlalchemy import ColumnElement, Row, bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from flask_app.column_types import ByServer
from flask_app.database import fetching, in_writing, table_of
from flask_app.domain import files
from flask_app.models import FilePiece, KeptFile, RemovedObject
from flask_app.services.files import object_store
from flask_app.services.files.stores import Away

LATE_SECONDS = 3600  # for a store that keeps, after all, what nobody waited for any longer
PART_BYTES = 2 * files.PIECE_BYTES  # of an object, as it is read at once: whole pieces, should it move meanwhile

_files, _pieces, _removed = table_of(KeptFile), table_of(FilePiece), table_of(RemovedObject)
_PIECE = select(_pieces.c.content).where(
    _pieces.c.file_id == bindparam("file"), _pieces.c.number == bindparam("number")
)
_PIECES = select(_pieces.c.content).where(_pieces.c.file_id == bindparam("file")).order_by(_pieces.c.number)
_IS_HERE = (_files.c.absent.is_(None), _files.c.digest != _files.c.id)
_PLACE = select(_files.c.object_key).where(_files.c.id == bindparam("file"), *_IS_HERE)
_LOCKED = (
    select(_files.c.object_key, (_files.c.digest == _files.c.id).label("may_come"))
    .where(_files.c.id == bindparam("file"))
    .with_for_update()
)


def parts(file_id: str, object_key: str | None, length: int) -> Iterator[bytes]:
    """Its `length` bytes in order, fewer where it goes in this moment; neither a connection nor a place is held between
    two. One that is moved meanwhile is read on where it is then. Raises Unavailable("files_unavailable").
    """
    at, number = 0, 0
    while at < length:
        part = _piece(file_id, number) if object_key is None else _part(object_key, at, length)
        if part:
            yield part
            at, number = at + len(part), number + 1
            continue
        place = _place(file_id)
        if place is None or (place.object_key is None and object_key is None):
            return
        if place.object_key == object_key:
            raise object_store.refused(Away(f"there is no object {object_key}, though a file has it"))
        object_key, number = place.object_key, at // files.PIECE_BYTES


def whole(file_id: str, object_key: str | None, length: int) -> bytes:
    """All of it at once, empty where it is gone: what waits for connections does not wait between two pieces."""
    if object_key is None:
        with fetching() as connection:
            if found := b"".join(connection.scalars(_PIECES, {"file": file_id})):
                return found
    return b"".join(parts(file_id, object_key, length))


def of(file_id: str, length: int) -> Iterator[bytes]:
    """`parts` of one whose place is not known yet."""
    place = _place(file_id)
    return iter(()) if place is None else parts(file_id, place.object_key, length)


def read_object(object_key: str, length: int) -> bytes:
    """Its beginning, as a whole; less where it is not there as a whole. Raises Unavailable("files_unavailable")."""
    read = b""
    while len(read) < length and (part := _part(object_key, len(read), length)):
        read += part
    return read


def is_at(file_id: str, object_key: str | None) -> bool:
    """Does the row say so, now?"""
    place = _place(file_id)
    return place is not None and place.object_key == object_key


def keep(file_id: str, object_key: str | None, content: IO[bytes], length: int) -> str:
    """Put it where its row says. Gives the digest of all. Raises Unavailable("files_unavailable")."""
    if object_key is None:
        return _keep_pieces(file_id, content, length)
    with object_store.turn_to_put():
        return object_store.ask(_put, object_key, content, length)


def let_go(connection: Connection, file_id: str, *conditions: ColumnElement[bool]) -> bool:
    """Delete the row where it is as said, and its content with it. Raises IntegrityError where a message has it.

    What is not whole may still be on its way to the store: it goes from there when it must have come.
    """
    locked = connection.execute(_LOCKED, {"file": file_id}).one_or_none()
    if not connection.execute(delete(_files).where(_files.c.id == file_id, *conditions)).rowcount or locked is None:
        return False
    note_removed(connection, locked.object_key, in_seconds=LATE_SECONDS if locked.may_come else 0)
    return True


def locked_key(connection: Connection, file_id: str) -> str | None:
    """Nobody moves it from now on, until this transaction is over."""
    return connection.scalar(select(_files.c.object_key).where(_files.c.id == file_id).with_for_update())


def note_removed(connection: Connection, object_key: str | None, *, in_seconds: int = 0) -> None:
    """Have it go from the store once this is committed, and the time has come (`removed_objects`)."""
    if object_key is not None:
        connection.execute(insert(_removed).values(object_key=object_key, due_at=ByServer(in_seconds)))


def _piece(file_id: str, number: int) -> bytes | None:
    with fetching() as connection:
        return connection.scalar(_PIECE, {"file": file_id, "number": number})


def _part(object_key: str, at: int, length: int) -> bytes:
    def read() -> bytes:
        return object_store.store().part(object_key, at, min(PART_BYTES, length - at))

    return object_store.ask(read)


def _place(file_id: str) -> Row[str | None] | None:
    """None where its content is not kept any more."""
    with fetching() as connection:
        return connection.execute(_PLACE, {"file": file_id}).one_or_none()


def _keep_pieces(file_id: str, content: IO[bytes], length: int) -> str:
    """Each in a transaction of its own: on SQLite others write in between."""
    left, number, digest = length, 0, hashlib.sha256()
    while left > 0:
        piece = content.read(min(left, files.PIECE_BYTES))
        row = {"file_id": file_id, "number": number, "content": piece}
        in_writing(lambda connection, row=row: connection.execute(insert(_pieces), row))  # type: ignore[misc]
        digest.update(piece)
        left, number = left - len(piece), number + 1
    return digest.hexdigest()


def _put(object_key: str, content: IO[bytes], length: int) -> str:
    read = content.read(length)
    object_store.store().put(object_key, read)
    return hashlib.sha256(read).hexdigest()
