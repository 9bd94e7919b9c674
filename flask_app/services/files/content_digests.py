"""The SHA-256 of what is in a file, of those that came before it was noted: made of what is kept, once."""

import hashlib
from contextlib import suppress

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing, table_of
from flask_app.errors import Unavailable
from flask_app.models import KeptFile
from flask_app.services.files import contents

_files = table_of(KeptFile)


def made(file_id: str, length: int) -> str | None:
    """Read piece by piece, and noted. None where it is not as long: it went in this moment, or its store is away."""
    found, read = hashlib.sha256(), 0
    with suppress(Unavailable):
        for piece in contents.of(file_id, length):
            found.update(piece)
            read += len(piece)
    if read != length:
        return None
    digest = found.hexdigest()
    is_it = (_files.c.id == file_id, _files.c.content_digest.is_(None), _files.c.digest != _files.c.id)
    noted = update(_files).where(*is_it).values(content_digest=digest)
    with suppress(SQLAlchemyError):  # it is made again the next time
        in_writing(lambda connection: connection.execute(noted))
    return digest
