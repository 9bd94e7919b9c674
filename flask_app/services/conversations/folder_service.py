"""Folders that a person keeps conversations in, each in one at most."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, reading, table_of
from flask_app.domain.blank import is_blank
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import Conversation, Folder, User
from flask_app.services.budgets import budget_service
from flask_app.services.conversations import conversation_lists, conversation_service
from flask_app.services.conversations.conversation_lists import Listed

_folders = table_of(Folder)

MOST_FOLDERS = 100
MAX_NAME = 64


class Named(NamedTuple):
    """A folder in the list of all that a person has."""

    id: str
    name: str


class Front(NamedTuple):
    """The beginning of a person's list: the newest that are in no folder, and all pins and folders."""

    page: list[Listed]
    following: str | None
    pinned: list[Listed]
    folders: list[Named]


def listed(actor: User) -> list[Named]:
    """The person's own, the first made first."""
    with fetching() as connection:
        return _named(connection, actor)


def front(actor: User, limit: int = conversation_lists.PAGE) -> Front:
    """All on one connection: each more would ask a server whether it is there. Raises BadRequest for a bad limit."""
    unfiled = conversation_lists.UNFILED
    with fetching() as connection:
        page = conversation_lists.page(connection, actor, archived=False, folder=unfiled, before=None, limit=limit)
        return Front(*page, conversation_lists.pins(connection, actor), _named(connection, actor))


def make(actor: User, name: str) -> Folder:
    """Raises Invalid("empty_folder_name"), Conflict("too_many_folders")."""

    def write(session: Session) -> Folder:
        budget_service.take_turn(session.connection(), actor.id)  # those of the same moment are counted one by one
        count = session.scalar(select(func.count()).where(Folder.user_id == actor.id)) or 0
        if count >= MOST_FOLDERS:
            raise Conflict("too_many_folders", limit=MOST_FOLDERS)
        folder = Folder(user_id=actor.id, name=_checked(name))
        session.add(folder)
        session.flush()
        return folder

    return in_transaction(write)


def rename(actor: User, folder_id: str, name: str) -> Folder:
    """Raises NotFound for somebody else's, Invalid("empty_folder_name")."""

    def write(session: Session) -> Folder:
        session.execute(update(Folder).where(*_own(actor, folder_id)).values(name=_checked(name)))
        return owned(session, actor, folder_id)

    return in_transaction(write)


def remove(actor: User, folder_id: str) -> None:
    """Delete it; its conversations stay, in none. Raises NotFound for somebody else's."""

    def write(session: Session) -> None:
        budget_service.take_turn(session.connection(), actor.id)  # nothing is being put into it
        session.delete(owned(session, actor, folder_id))

    in_transaction(write)


def put_in(actor: User, folder_id: str, conversation_id: str) -> Conversation:
    """Move a conversation into it, out of the one that it was in. Raises NotFound for what is somebody else's."""

    def write(session: Session) -> Conversation:
        budget_service.take_turn(session.connection(), actor.id)
        owned(session, actor, folder_id)
        return conversation_service.changed(session, actor, conversation_id, folder_id=folder_id)

    return in_transaction(write)


def take_out(actor: User, folder_id: str, conversation_id: str) -> Conversation:
    """One that is in another folder stays there. Raises NotFound for what is somebody else's."""

    def write(session: Session) -> Conversation:
        owned(session, actor, folder_id)
        conversation = conversation_service.owned(session, actor, conversation_id)
        if conversation.folder_id == folder_id:
            conversation.folder_id = None
        return conversation

    return in_transaction(write)


def conversations(
    actor: User, folder_id: str, *, before: str | None = None, limit: int = conversation_lists.PAGE
) -> tuple[list[Listed], str | None]:
    """A page of those in it, without archived ones, the newest first; raises NotFound for somebody else's folder."""
    with reading() as session:
        owned(session, actor, folder_id)
    return conversation_lists.listed(actor, folder=folder_id, before=before, limit=limit)


def owned(session: Session, actor: User, folder_id: str) -> Folder:
    """Raises NotFound for somebody else's."""
    folder = session.scalar(select(Folder).where(*_own(actor, folder_id)))
    if folder is None:
        raise NotFound
    return folder


def _named(connection: Connection, actor: User) -> list[Named]:
    own = select(_folders.c.id, _folders.c.name).where(_folders.c.user_id == actor.id).order_by(_folders.c.id)
    return [Named(*row) for row in connection.execute(own)]


def _own(actor: User, folder_id: str) -> tuple[ColumnElement[bool], ...]:
    return Folder.id == folder_id, Folder.user_id == actor.id


def _checked(name: str) -> str:
    words = " ".join(name.split())
    if is_blank(words):
        raise Invalid("empty_folder_name")
    return words
