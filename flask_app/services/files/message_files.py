"""The files of messages: taken along when a question is sent, and found again with it."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import table_of
from flask_app.domain import files, telling
from flask_app.domain.telling import Way
from flask_app.errors import Invalid, Unavailable
from flask_app.models import KeptFile, Message, MessageFile, User
from flask_app.services.files import file_service
from flask_app.services.files.document_parts import Wanted
from flask_app.services.files.file_service import Facts
from flask_app.statements import Act, Prepared

_files, _goes_with, _messages = table_of(KeptFile), table_of(MessageFile), table_of(Message)
_INSERT = Prepared(insert(_goes_with))
_WHOLE = Way()
_TOLD = ("told_as", "told_parts", "found_by")
_facts = tuple(_files.c[name] for name in Facts.__slots__ if name not in {"name", "absent"})
_OF_MESSAGES = (
    select(*(_goes_with.c[name] for name in ("message_id", "name", *_TOLD)), *_facts, file_service.ABSENT)
    .join(_files, _files.c.id == _goes_with.c.file_id)
    .order_by(_goes_with.c.message_id, _goes_with.c.position)
)
_OF_SOME = _OF_MESSAGES.where(_goes_with.c.message_id.in_(bindparam("messages", expanding=True)))
# Apart from the messages: a document that is searched goes with many turns of a branch, and may have 2 MB of words.
_TEXTS = select(_files.c.id, _files.c.text).where(_files.c.id.in_(bindparam("files", expanding=True)))
_OF_CONVERSATION = _OF_MESSAGES.join(_messages, _messages.c.id == _goes_with.c.message_id).where(
    _messages.c.conversation_id == bindparam("conversation")
)
_DIGESTS = (
    select(_files.c.id, _files.c.content_digest)
    .join(_goes_with, _goes_with.c.file_id == _files.c.id)
    .join(_messages, _messages.c.id == _goes_with.c.message_id)
    .where(_messages.c.conversation_id == bindparam("conversation"))
    .distinct()
)
# Is one of a message that a statement reads?
OF_MESSAGE = exists().where(_goes_with.c.message_id == _messages.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Going(Facts):
    """What is known of one that goes with a message."""

    way: Way

    @property
    def told(self) -> str:
        return self.way.name

    @property
    def told_parts(self) -> str | None:
        return self.way.parts or None

    @property
    def found_by(self) -> str | None:
        return self.way.found_by

    @property
    def told_pages(self) -> str | None:
        """The pages that were chosen."""
        return self.way.parts if self.told == telling.PAGES else None


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a message, by the name that it had then. `text` is empty for a picture, and where the
    content is not here any more.
    """

    facts: Facts
    text: str
    way: Way = _WHOLE

    @property
    def is_picture(self) -> bool:
        """Can it be shown as one?"""
        return self.facts.kind == files.PICTURE and not self.facts.absent

    @property
    def told(self) -> str:
        """As a document of the prompt, or what is shown of it; only its name where that is all there is."""
        if self.facts.absent:
            return files.missing(self.facts.name)
        return telling.document(self.facts.name, self.facts.pages, self.text, self.way)

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def length(self) -> int:
        return self.facts.bytes

    @property
    def most_tokens(self) -> int:
        return files.most_tokens(self.facts.width or 1, self.facts.height or 1)

    def address(self) -> str | None:
        """The picture itself, as an address that holds its content; None where it was deleted meanwhile.

        It is read when it is wanted, and by nobody in a transaction. Raises Unavailable: "database_unavailable",
        "files_unavailable".
        """
        try:
            whole = file_service.whole(self.facts)
        except SQLAlchemyError as error:
            raise Unavailable("database_unavailable") from error
        return f"data:{self.facts.content_type};base64,{base64.b64encode(whole).decode()}" if whole else None


def check(wanted: Sequence[Wanted]) -> None:
    """Raises Invalid("too_many_files")."""
    if len(wanted) > files.MOST_AT_ONCE or len({each.id for each in wanted}) != len(wanted):
        raise Invalid("too_many_files", limit=files.MOST_AT_ONCE)


def take(
    connection: Connection, actor: User, file_ids: Sequence[str], now: datetime, ways: Mapping[str, Way] | None = None
) -> list[Attached]:
    """Those that are about to be sent, in their order, told as `ways` say: nobody removes them meanwhile.

    Raises Invalid("file_gone") where one is not there, or is somebody else's.
    """
    if not file_ids:
        return []
    own = (_files.c.id.in_(file_ids), _files.c.user_id == actor.id)
    # Until all its pieces are there a file has no digest of its own.
    whole = _files.c.digest != _files.c.id
    if connection.execute(update(_files).where(*own, whole).values(sent_at=now)).rowcount != len(file_ids):
        raise Invalid("file_gone")
    rows = connection.execute(select(_files.c.name, *_facts, file_service.ABSENT, _files.c.text).where(*own))
    how = ways or {}
    found = {row.id: Attached(file_service.facts_of(row), row.text, how.get(row.id, _WHOLE)) for row in rows}
    return [found[file_id] for file_id in file_ids]


def mark(connection: Connection, actor: User, file_ids: Collection[str], now: datetime) -> set[str]:
    """Which of these are their own, and whole: they count as sent from now on."""
    if not file_ids:
        return set()
    own = (_files.c.id.in_(file_ids), _files.c.user_id == actor.id, _files.c.digest != _files.c.id)
    connection.execute(update(_files).where(*own).values(sent_at=now))
    return set(connection.scalars(select(_files.c.id).where(*own)))


def attaching(message_id: str, attached: Sequence[Attached]) -> list[Act]:
    """What writes down that they go with the message."""
    rows = [
        {"message_id": message_id, "file_id": each.facts.id, "position": position, "name": each.facts.name}
        | told(each.way)
        for position, each in enumerate(attached)
    ]
    return [Act(_INSERT, rows)] if rows else []


def told(way: Way) -> dict[str, str | None]:
    """What a row says of it: nothing where it is whole."""
    told_as = None if way.name == telling.WHOLE else way.name
    return {"told_as": told_as, "told_parts": way.parts or None, "found_by": way.found_by}


def of_messages(connection: Connection, message_ids: Sequence[str]) -> dict[str, list[Attached]]:
    """Those of each that has some. The words of each file are read once."""
    found: dict[str, list[Attached]] = {}
    if not message_ids:
        return found
    rows = connection.execute(_OF_SOME, {"messages": list(message_ids)}).all()
    told = sorted({row.id for row in rows if row.kind != files.PICTURE and not row.absent})
    texts = {row.id: row.text for row in connection.execute(_TEXTS, {"files": told})} if told else {}
    for row in rows:
        attached = Attached(file_service.facts_of(row), texts.get(row.id, ""), _way(row))
        found.setdefault(row.message_id, []).append(attached)
    return found


def of_conversation(connection: Connection, conversation_id: str) -> dict[str, list[Going]]:
    """The same of a whole conversation, without what they say."""
    found: dict[str, list[Going]] = {}
    for row in connection.execute(_OF_CONVERSATION, {"conversation": conversation_id}):
        found.setdefault(row.message_id, []).append(Going(**file_service.named_of(row), way=_way(row)))
    return found


def digests(connection: Connection, conversation_id: str) -> dict[str, str | None]:
    """Those of their contents, by the files' ids; None where it was not noted, or is gone with them."""
    return {row.id: row.content_digest for row in connection.execute(_DIGESTS, {"conversation": conversation_id})}


def named(attached: Sequence[Facts]) -> str:
    """Their names, for whoever is shown no more than words."""
    return ", ".join(each.name for each in attached)


def _way(row: Row[*tuple[Any, ...]]) -> Way:
    return Way(row.told_as or telling.WHOLE, row.told_parts or "", row.found_by)
