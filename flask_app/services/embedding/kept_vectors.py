"""The vectors that were made of a document's passages: rows of its file, or of what a shared assistant knows of it.

They are of whoever has the document: the same content of two people has its vectors twice, and tells neither of the
other. They go with the row, and with what is in the file.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from flask_app.database import fetching, in_writing, new_id, table_of
from flask_app.domain import vectors
from flask_app.domain.serving import ServedModel
from flask_app.models import KeptFile, PassageVectors, SharedAssistantFile

_kept, _files, _shared = table_of(PassageVectors), table_of(KeptFile), table_of(SharedAssistantFile)


class Source(NamedTuple):
    """A document whose passages are searched: somebody's file, or what a shared assistant knows."""

    id: str
    is_shared: bool = False


def made_by(model: ServedModel) -> str:
    """What tells vectors apart that cannot be compared: of another provider, model, or cut."""
    told = f"{model.provider_id}\n{model.name}\n{vectors.CUT}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def of(source: Source, by: str) -> dict[int, bytes]:
    """By the passage's number, as far as they were made."""
    query = select(_kept.c.first, _kept.c.passages, _kept.c.vectors).where(_is_of(source), _kept.c.made_by == by)
    found: dict[int, bytes] = {}
    with fetching() as connection:
        for row in connection.execute(query):
            found |= dict(enumerate(vectors.parted(row.vectors, row.passages), row.first))
    return found


def keep(source: Source, by: str, first: int, made: Sequence[bytes]) -> None:
    """Those of passages that follow each other, instead of any that another model made.

    Of a document that went meanwhile nothing is kept.
    """
    owner = _shared if source.is_shared else _files
    is_there = select(owner.c.id).where(owner.c.id == bindparam("owner")).with_for_update(read=True)
    if not source.is_shared:
        is_there = is_there.where(_files.c.digest != _files.c.id)
    row = {"id": new_id(), "made_by": by, "first": first, "passages": len(made), "vectors": vectors.joined(made)}

    def work(connection: Connection) -> None:
        if connection.scalar(is_there, {"owner": source.id}) is None:
            return
        connection.execute(delete(_kept).where(_is_of(source), _kept.c.made_by != by))
        connection.execute(insert(_kept), row | {_column(source): source.id})

    in_writing(work)


def forget(connection: Connection, file_id: str) -> None:
    """Those of a file whose words go."""
    connection.execute(delete(_kept).where(_kept.c.file_id == file_id))


def _column(source: Source) -> str:
    return "shared_file_id" if source.is_shared else "file_id"


def _is_of(source: Source) -> ColumnElement[bool]:
    return _kept.c[_column(source)] == source.id
