"""Conversations that come from a file: each written once, whole, as its person's own.

What comes bears ids that somebody has written into a file. None of them is ever used: by an id one could lay a hand on
what belongs to others. A conversation's own follows from its person and the one in the file, so that the same one comes
once however often it is sent; its messages have new ones, by whose ends they are known again, so that what has been
written there since comes later. Nothing is asked of a model, and the ledger has no entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace
from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from flask_app.database import derived_id, fetching, in_writing, new_id, table_of, utc_now
from flask_app.domain import titles
from flask_app.domain.blank import is_blank
from flask_app.errors import Invalid
from flask_app.models import Conversation, Folder, User
from flask_app.services.budgets import budget_service
from flask_app.services.conversations import conversation_service, folder_service, pin_service
from flask_app.services.portability import import_quota, message_tree, named_assistants, named_files, placing
from flask_app.services.portability.conversation_format import Drawer, Said, Talk
from flask_app.services.portability.placing import Here
from flask_app.services.site import retention_settings

MOST_AT_ONCE = 200  # conversations in a request
MOST_LOOKED_UP = 1000
MOST_COMPARED = 200  # of those, with their messages
MOST_READ = 1000  # characters of a title or of a folder's name, of which far fewer are kept
IMPORTED, CONTINUED, KNOWN, TOO_OLD, REFUSED = "imported", "continued", "known", "too_old", "refused"

_conversations, _folders = table_of(Conversation), table_of(Folder)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one: IMPORTED, CONTINUED (what is new of it came), KNOWN (it is there already), TOO_OLD (the site
    would delete it at once) or REFUSED, for the reason `code`. `id` is that of the file, `conversation_id` the one that
    it has here.
    """

    id: str
    outcome: str
    conversation_id: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is asked about before it is sent. `messages`: ids of those that it has; `filled`: of those with contents of
    their files.
    """

    id: str
    created_at: datetime
    updated_at: datetime
    messages: Sequence[str] = ()
    filled: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What decides what becomes of each: which are here, with what, and before which moment they are too old."""

    known: set[str]
    oldest: datetime | None
    here: Here = field(default_factory=Here)


def look(actor: User, sketches: Sequence[Sketch]) -> list[Outcome]:
    """What would become of these; nothing is written. Raises Invalid("import_too_many")."""
    if len(sketches) > MOST_LOOKED_UP:
        raise Invalid("import_too_many", limit=MOST_LOOKED_UP)
    if sum(bool(each.messages) for each in sketches) > MOST_COMPARED:
        raise Invalid("import_too_many", limit=MOST_COMPARED)
    seen = _seen(actor, sketches)
    return [_outcome(actor, each, seen) or Outcome(each.id, IMPORTED) for each in sketches]


def bring_in(
    actor: User, drawers: Sequence[Drawer], talks: Sequence[Talk], contents: Mapping[str, str] | None = None
) -> list[Outcome]:
    """Write them, a transaction each: what is broken stops none of the others, and what has come in stays.

    `contents` says of files that they name, by their ids there, which one of the person's own each is here.

    Raises Invalid("import_too_many"), TooMany("import_too_much_today"), and once the person is disabled or gone
    Forbidden("account_disabled") or SignInRequired.
    """
    if max(len(talks), len(drawers)) > MOST_AT_ONCE:
        raise Invalid("import_too_many", limit=MOST_AT_ONCE)
    contents = contents or {}
    sketches = [_sketch(talk, contents) for talk in talks]
    seen = _seen(actor, sketches)
    folders = {drawer.id: replace(drawer, name=_name(drawer)) for drawer in drawers}
    outcomes = []
    for talk, sketch in zip(talks, sketches, strict=True):
        outcome = _outcome(actor, sketch, seen)
        if outcome is None:
            outcome = _write(actor, folders, talk, contents)
        elif outcome.outcome == CONTINUED and outcome.conversation_id:
            outcome = _go_on(actor, outcome.conversation_id, talk, contents)
        seen.known.update({outcome.conversation_id} if outcome.conversation_id else ())
        outcomes.append(outcome)
    return outcomes


def _sketch(talk: Talk, contents: Mapping[str, str]) -> Sketch:
    filled = [said.id for said in talk.messages if any(each.id in contents for each in said.files)]
    return Sketch(talk.id, talk.created_at, talk.updated_at, [said.id for said in talk.messages], filled)


def _seen(actor: User, sketches: Sequence[Sketch]) -> _Seen:
    known = _known(actor, sketches)
    compared = {_id_here(actor, each) for each in sketches if each.messages and each.id not in known}
    return _Seen(known, _oldest(actor), placing.here(compared & known))


def _known(actor: User, sketches: Sequence[Sketch]) -> set[str]:
    """Ids of one's own conversations that these are, or have become."""
    ids = {each.id for each in sketches} | {_id_here(actor, each) for each in sketches}
    own = select(_conversations.c.id).where(_conversations.c.user_id == actor.id, _conversations.c.id.in_(ids))
    with fetching() as connection:
        return set(connection.scalars(own))


def _oldest(actor: User) -> datetime | None:
    """Before which moment a last message is too old for this person's site."""
    days = retention_settings.kept().of(actor.group_id)
    return None if days is None else utc_now() - timedelta(days=days)


def _outcome(actor: User, sketch: Sketch, seen: _Seen) -> Outcome | None:
    """None: it can come in."""
    made = _id_here(actor, sketch)
    if sketch.id in seen.known:
        return Outcome(sketch.id, KNOWN, sketch.id)
    if made in seen.known:
        has_more = seen.here.lacks(made, sketch.messages, sketch.filled)
        return Outcome(sketch.id, CONTINUED if has_more else KNOWN, made)
    return Outcome(sketch.id, TOO_OLD) if seen.oldest and sketch.updated_at < seen.oldest else None


def _id_here(actor: User, sketch: Sketch) -> str:
    began = min(max(sketch.created_at, message_tree.EARLIEST), message_tree.LATEST)
    return derived_id(began, f"{actor.id}\n{sketch.id}")


def _write(actor: User, folders: Mapping[str, Drawer], talk: Talk, contents: Mapping[str, str]) -> Outcome:
    now = utc_now()
    made = _id_here(actor, Sketch(talk.id, talk.created_at, talk.updated_at))
    try:
        placed = message_tree.placed(made, talk.messages, now)
        title = _title(talk)
    except Invalid as error:
        return Outcome(talk.id, REFUSED, code=error.code)

    def work(connection: Connection) -> None:
        budget_service.take_turn(connection, actor.id)  # pins and folders of the same moment are counted one by one
        import_quota.require_active(connection, actor.id)
        has_room = talk.pinned_at is not None and (talk.archived or pin_service.has_room(connection, actor.id))
        values = {
            "id": made,
            "user_id": actor.id,
            "folder_id": _folder(connection, actor, folders.get(talk.folder_id or "")),
            **named_assistants.found(connection, actor, talk.assistant),
            "title": title,
            "titled_by": actor.id,  # no model is asked for another
            "created_at": message_tree.moment(talk.created_at, now),
            "updated_at": message_tree.moment(talk.updated_at, now),
            "pinned_at": message_tree.moment(talk.pinned_at, now) if has_room and talk.pinned_at else None,
            "archived": talk.archived,
        }
        connection.execute(insert(_conversations), values)
        placing.write(connection, actor, placed, contents, now)

    try:
        in_writing(work)
    except IntegrityError:
        if not _known(actor, [Sketch(talk.id, talk.created_at, talk.updated_at)]):
            raise
        return Outcome(talk.id, KNOWN, made)  # it came from another tab in this moment
    return Outcome(talk.id, IMPORTED, made)


def _go_on(actor: User, conversation_id: str, talk: Talk, contents: Mapping[str, str]) -> Outcome:
    """What is new of it, under what is here: the person's turn is held, so that two tabs do not both write it."""
    now = utc_now()

    def work(connection: Connection) -> bool:
        budget_service.take_turn(connection, actor.id)
        import_quota.require_active(connection, actor.id)
        return placing.go_on(connection, actor, conversation_id, talk, contents, now)

    try:
        has_more = in_writing(work)
    except Invalid as error:
        return Outcome(talk.id, REFUSED, conversation_id, code=error.code)
    return Outcome(talk.id, CONTINUED if has_more else KNOWN, conversation_id)


def _title(talk: Talk) -> str:
    title = _on_a_line(talk.title)
    if is_blank(title):
        title = titles.first_words(next((_words(said) for said in talk.messages if said.role == "user"), ""))
    if is_blank(title):
        raise Invalid("import_empty")
    return title[: conversation_service.MAX_TITLE]


def _words(said: Said) -> str:
    """Of a question without any the names of its files."""
    return said.text if not is_blank(said.text) else " ".join(_on_a_line(each.name) for each in named_files.of(said))


def _on_a_line(words: str) -> str:
    """The beginning of these, without what does not print, or turns the words around."""
    return " ".join("".join(each if each.isprintable() else " " for each in words[:MOST_READ]).split())


def _name(drawer: Drawer) -> str:
    return _on_a_line(drawer.name)[: folder_service.MAX_NAME]


def _folder(connection: Connection, actor: User, drawer: Drawer | None) -> str | None:
    """One's folder of that name; a new one, where there is room for it."""
    if drawer is None or is_blank(drawer.name):
        return None
    name, own = drawer.name, _folders.c.user_id == actor.id
    there = connection.scalar(
        select(_folders.c.id).where(own, _folders.c.name == name).order_by(_folders.c.id).limit(1)
    )
    if there:
        return str(there)
    if (connection.scalar(select(func.count()).where(own)) or 0) >= folder_service.MOST_FOLDERS:
        return None
    made = new_id()
    created_at = message_tree.moment(drawer.created_at, utc_now())
    connection.execute(insert(_folders), {"id": made, "user_id": actor.id, "name": name, "created_at": created_at})
    return made
