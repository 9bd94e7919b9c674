"""One's own conversations, whole, one after the other: what a file of them is made of.

No connection is held between two, and no more than one is in memory. What is deleted meanwhile is left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.engine import Connection

from flask_app import offload
from flask_app.database import fetching, reading, table_of
from flask_app.errors import Invalid, NotFound
from flask_app.models import Conversation, Folder, Message, User
from flask_app.services.completion.attempts import Entry
from flask_app.services.conversations import folder_service
from flask_app.services.files import content_digests, message_files
from flask_app.services.files.message_files import Going
from flask_app.services.portability import named_assistants
from flask_app.services.portability.conversation_format import Companion, Counts, Drawer, Named, Said, Talk
from flask_app.services.tools import tool_calls
from flask_app.services.usage import message_usage
from flask_app.services.web_search import searches

MOST_CHOSEN = 200  # by their ids
AT_ONCE = 500  # ids that are read in one query

_conversations, _messages, _folders = table_of(Conversation), table_of(Message), table_of(Folder)
_columns = _conversations.c
_OF_TALK = ("id", "title", "folder_id", "created_at", "updated_at", "pinned_at", "archived")
_TALK = named_assistants.beside(select(*(_columns[name] for name in _OF_TALK))).where(
    _columns.id == bindparam("conversation"), _columns.user_id == bindparam("person")
)
_SAID = (
    select(
        *(_messages.c[name] for name in Said.__struct_fields__ if name not in {"usage", "files", "search", "calls"}),
        message_files.OF_MESSAGE.label("has_files"),
        searches.OF_MESSAGE.label("has_search"),
        tool_calls.OF_MESSAGE.label("has_calls"),
    )
    .where(_messages.c.conversation_id == bindparam("conversation"))
    .order_by(_messages.c.created_at, _messages.c.id)
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which ones: those with these ids, those of a folder, or where neither is named all, archived ones too."""

    ids: Sequence[str] = ()
    folder_id: str | None = None


EVERYTHING = Choice()


class Extent(NamedTuple):
    """How many conversations a folder holds; without an id all of a person's."""

    folder_id: str | None
    name: str
    conversations: int


def one(actor: User, conversation_id: str) -> Talk:
    """Raises NotFound for somebody else's."""
    with fetching() as connection:
        talk = _whole(connection, actor, conversation_id)
    if talk is None:
        raise NotFound
    return talk


def every(actor: User, choice: Choice = EVERYTHING) -> Iterator[Talk]:
    """All that are chosen, the oldest first. Raises before the first one: NotFound for what is somebody else's,
    Invalid("too_many_chosen")."""
    if len(choice.ids) > MOST_CHOSEN:
        raise Invalid("too_many_chosen", limit=MOST_CHOSEN)
    if choice.folder_id:
        with reading() as session:
            folder_service.owned(session, actor, choice.folder_id)
    if choice.ids:
        _require_all(actor, choice.ids)
    return _each(actor, choice)


def with_digests(talk: Talk) -> Talk:
    """Those that were not noted when their files came are made of what is kept."""
    made: dict[str, str | None] = {}
    for each in (each for said in talk.messages for each in said.files if each.digest is None and each.absent is None):
        if each.id not in made:
            made[each.id] = content_digests.made(each.id, each.bytes)
        each.digest = made[each.id]
    return talk


def folders(actor: User) -> list[Drawer]:
    """The person's own, the first made first."""
    columns = (_folders.c.id, _folders.c.name, _folders.c.created_at)
    own = select(*columns).where(_folders.c.user_id == actor.id).order_by(_folders.c.id)
    with fetching() as connection:
        return [Drawer(id=row.id, name=row.name, created_at=row.created_at) for row in connection.execute(own)]


def extents(actor: User) -> list[Extent]:
    """How many there are in all, then in each folder."""
    by_folder = (
        select(_columns.folder_id, func.count()).where(_columns.user_id == actor.id).group_by(_columns.folder_id)
    )
    with fetching() as connection:
        counts = {row[0]: row[1] for row in connection.execute(by_folder)}
    own = [Extent(folder.id, folder.name, counts.get(folder.id, 0)) for folder in folders(actor)]
    return [Extent(None, "", sum(counts.values())), *own]


def _require_all(actor: User, ids: Sequence[str]) -> None:
    own = select(func.count()).where(_columns.user_id == actor.id, _columns.id.in_(set(ids)))
    with fetching() as connection:
        if connection.scalar(own) != len(set(ids)):
            raise NotFound


def _each(actor: User, choice: Choice) -> Iterator[Talk]:
    after = ""
    while ids := _ids_after(actor, choice, after):
        for conversation_id in ids:
            with fetching() as connection:
                talk = _whole(connection, actor, conversation_id)
            if talk is not None:
                yield talk
            offload.give_way()  # a reader that keeps up would not
        after = ids[-1]


def _ids_after(actor: User, choice: Choice, after: str) -> list[str]:
    """Their ids lead through them: those stay as they are, while times change."""
    query = select(_columns.id).where(_columns.user_id == actor.id, _columns.id > after)
    if choice.folder_id:
        query = query.where(_columns.folder_id == choice.folder_id)
    if choice.ids:
        query = query.where(_columns.id.in_(choice.ids))
    with fetching() as connection:
        return list(connection.scalars(query.order_by(_columns.id).limit(AT_ONCE)))


def _whole(connection: Connection, actor: User, conversation_id: str) -> Talk | None:
    ids = {"conversation": conversation_id, "person": actor.id, "group": actor.group_id}
    row = connection.execute(_TALK, ids).one_or_none()
    if row is None:
        return None
    usage = message_usage.of_conversation(connection, conversation_id)
    said = connection.execute(_SAID, {"conversation": conversation_id}).all()
    has_files = any(each.has_files for each in said)
    attached = message_files.of_conversation(connection, conversation_id) if has_files else {}
    digests = message_files.digests(connection, conversation_id) if has_files else {}
    found = searches.of_messages(connection, [each.id for each in said if each.has_search])
    made = tool_calls.of_messages(connection, [each.id for each in said if each.has_calls])
    messages = [
        _said(
            each,
            usage=_counts(usage.get(each.id)),
            files=_named(attached.get(each.id, ()), digests),
            search=found.get(each.id),
            calls=made.get(each.id, []),
        )
        for each in said
    ]
    assistant = Companion(name=row.assistant_name, icon=row.assistant_icon) if row.assistant_name else None
    return Talk(**dict(zip(_OF_TALK, row, strict=False)), assistant=assistant, messages=messages)


def _said(row: Row[*tuple[Any, ...]], **beside: Any) -> Said:
    return Said(**{name: value for name, value in row._asdict().items() if not name.startswith("has_")}, **beside)


def _named(attached: Iterable[Going], digests: Mapping[str, str | None]) -> list[Named]:
    names = [name for name in Named.__struct_fields__ if name != "digest"]
    return [Named(**{name: getattr(each, name) for name in names}, digest=digests.get(each.id)) for each in attached]


def _counts(entry: Entry | None) -> Counts | None:
    if entry is None:
        return None
    usage = entry.usage
    return Counts(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        source=entry.source,
    )
