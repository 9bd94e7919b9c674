"""A person's files: taken in once each, kept, given back, removed where nothing has them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

from sqlalchemy import Row, bindparam, case, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from flask_app.database import fetching, in_writing, new_id, table_of, utc_now
from flask_app.domain import files
from flask_app.domain.events import estimate_tokens
from flask_app.errors import Conflict, Forbidden, Invalid, NotFound
from flask_app.models import KeptFile, User
from flask_app.services.budgets import budget_service
from flask_app.services.chat.prompts import USUAL_IMAGE_TOKENS
from flask_app.services.files import contents, file_retention, object_store, reader
from flask_app.services.files.reader import Read
from flask_app.services.ledger import shared_clock

_files = table_of(KeptFile)
# The first bytes of each digest, another with each change of what is read of a file: then the same is read anew.
READ_AS = b"3"
_FACTS = ("id", "name", "kind", "content_type", "bytes", "width", "height", "pages", "tokens", "object_key")
# Of a file whose content is here the column is not read: its text stands before it.
ABSENT = case((_files.c.digest == _files.c.id, _files.c.absent)).label("absent")
_facts = (*(_files.c[name] for name in _FACTS), ABSENT)
_OWN = select(*_facts).where(_files.c.id == bindparam("file"), _files.c.user_id == bindparam("person"))
_SAME = select(*_facts).where(_files.c.user_id == bindparam("person"), _files.c.digest == bindparam("digest"))
_TOLD = select(_files.c.kind, _files.c.text).where(
    _files.c.id == bindparam("file"), _files.c.user_id == bindparam("person")
)
_TAKEN = select(func.coalesce(func.sum(_files.c.stored_bytes), 0)).where(_files.c.user_id == bindparam("person"))
Place = tuple[str, str | None]  # the row's id, and the object's key
LEFT_FOR = timedelta(hours=1)  # where there is no room, no draft holds on to a file for longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a file without its content; `tokens` is about what it adds to a prompt.

    `absent` is why its content is not here; None where it is. `object_key` is where in the store it lies; None where in
    the database.
    """

    id: str
    name: str
    kind: str
    content_type: str
    bytes: int
    width: int | None
    height: int | None
    pages: int | None
    tokens: int
    absent: str | None
    object_key: str | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What somebody sent: its bytes, their digest after `READ_AS`, what they call it, and the language they read in."""

    content: IO[bytes]
    digest: str
    name: str
    language: str


def keep(actor: User, arrived: Arrived, quota_mb: int) -> Facts:
    """Read a file and keep it; the same from the same person is the one that is there, by its new name.

    Raises Forbidden("files_off") where they may keep none, Invalid("file_quota_full"), and what `reader.read` and
    `contents.keep` do.
    """
    require_room(quota_mb)
    if known := _again(actor, arrived):
        return known
    with reader.read(arrived.content, actor.id, arrived.language) as found:
        place = new_id(), object_store.new_key() if object_store.takes_new() else None
        in_writing(lambda connection: _announce(connection, actor, place, found, arrived.name, quota_mb))
        file_id, object_key = place
        try:
            content_digest = contents.keep(file_id, object_key, found.content, found.bytes)
            in_writing(lambda connection: _finish(connection, file_id, arrived.digest, content_digest))
        except BaseException as error:
            with suppress(SQLAlchemyError):  # without a database: nobody finds it, and it goes after a day
                in_writing(lambda connection: contents.let_go(connection, file_id))
            if isinstance(error, IntegrityError) and (known := _again(actor, arrived)):  # it came twice at once
                return known
            raise
    return find(actor, file_id)


def omits(actor: User, file_id: str) -> bool:
    """Is something in it, as a picture in a document, left out of what a model is told?"""
    with fetching() as connection:
        row = connection.execute(_TOLD, {"file": file_id, "person": actor.id}).one_or_none()
    return row is not None and files.omits(row.kind, row.text)


def require_room(quota_mb: int) -> None:
    """Raises Forbidden("files_off")."""
    if quota_mb <= 0:
        raise Forbidden("files_off")


def find(actor: User, file_id: str) -> Facts:
    """Raises NotFound for somebody else's."""
    with fetching() as connection:
        row = connection.execute(_OWN, {"file": file_id, "person": actor.id}).one_or_none()
    if row is None:
        raise NotFound
    return facts_of(row)


def here(actor: User, file_id: str) -> Facts:
    """The same of one whose content is here. Raises NotFound("file_not_kept") where it is not."""
    facts = find(actor, file_id)
    if facts.absent:
        raise NotFound("file_not_kept")
    return facts


def facts_of(row: Row[*tuple[object, ...]]) -> Facts:
    return Facts(**named_of(row))


def named_of(row: Row[*tuple[object, ...]]) -> dict[str, Any]:
    """The same, by their names."""
    named = row._mapping  # noqa: SLF001 - a part of what rows offer
    return {name: named[name] for name in Facts.__slots__}


def own(actor: User, after: str, limit: int) -> list[Facts]:
    """Some of a person's own, those with the ids that follow."""
    some = select(*_facts).where(_files.c.user_id == actor.id, _files.c.id > after).order_by(_files.c.id).limit(limit)
    with fetching() as connection:
        return [facts_of(row) for row in connection.execute(some)]


def content(facts: Facts) -> Iterator[bytes]:
    """In parts, as `contents.parts` gives them."""
    return contents.parts(facts.id, facts.object_key, facts.bytes)


def whole(facts: Facts) -> bytes:
    """All of it at once, empty where it is gone. Raises Unavailable("files_unavailable")."""
    return contents.whole(facts.id, facts.object_key, facts.bytes)


def remove(actor: User, file_id: str) -> None:
    """Raises NotFound for somebody else's, Conflict("file_in_use") where a message or an assistant has it."""
    own = (_files.c.user_id == actor.id, *file_retention.UNUSED)
    try:
        gone = in_writing(lambda connection: contents.let_go(connection, file_id, *own))
    except IntegrityError:  # it was sent in this moment
        gone = False
    if not gone:
        find(actor, file_id)
        raise Conflict("file_in_use")


def _again(actor: User, arrived: Arrived) -> Facts | None:
    """The file that is there already; it is as new, and stays for as long."""
    same = {"person": actor.id, "digest": arrived.digest}
    with fetching() as connection:
        row = connection.execute(_SAME, same).one_or_none()
    if row is None:
        return None
    is_it = (_files.c.id == row.id, _files.c.digest == arrived.digest, _files.c.absent.is_(None))
    renewed = update(_files).where(*is_it).values(name=arrived.name, sent_at=None, created_at=utc_now())
    if not in_writing(lambda connection: connection.execute(renewed).rowcount):
        return None  # it was removed, or has expired, in this moment
    return find(actor, row.id)


def _announce(connection: Connection, actor: User, place: Place, found: Read, name: str, quota_mb: int) -> None:
    """Its row, which nobody finds yet by its digest. The person's is locked while room is looked for."""
    budget_service.take_turn(connection, actor.id)
    stored = found.bytes + len(found.text.encode())
    if not _fits(connection, actor, stored, quota_mb):
        _make_room(connection, actor)
        if not _fits(connection, actor, stored, quota_mb):
            raise Invalid("file_quota_full", limit=quota_mb)
    file_id, object_key = place
    values = {
        each: getattr(found, each) for each in ("kind", "content_type", "bytes", "width", "height", "pages", "text")
    }
    about = {"id": file_id, "user_id": actor.id, "digest": file_id, "name": name, "stored_bytes": stored}
    more = {"tokens": _tokens(found, name), "sent_at": None, "created_at": utc_now(), "object_key": object_key}
    connection.execute(insert(_files), {**values, **about, **more})


def _fits(connection: Connection, actor: User, stored: int, quota_mb: int) -> bool:
    return (connection.scalar(_TAKEN, {"person": actor.id}) or 0) + stored <= quota_mb << 20


def _make_room(connection: Connection, actor: User) -> None:
    """Remove what has been in use for nothing for a while."""
    before = shared_clock.ask(connection) - LEFT_FOR  # this process's own may be hours ahead
    is_due = file_retention.is_due(before)
    for file_id in connection.scalars(select(_files.c.id).where(_files.c.user_id == actor.id, is_due)).all():
        contents.let_go(connection, file_id, is_due)


def _tokens(found: Read, name: str) -> int:
    if found.kind == files.PICTURE:
        return USUAL_IMAGE_TOKENS
    return estimate_tokens(files.document(name, found.pages, found.text))


def _finish(connection: Connection, file_id: str, digest: str, content_digest: str) -> None:
    whole = update(_files).where(_files.c.id == file_id)
    connection.execute(whole.values(digest=digest, content_digest=content_digest))
