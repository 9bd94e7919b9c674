"""Where a message goes: into a new conversation, or after a message of one that is there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.engine import Connection

from flask_app.database import new_id
from flask_app.domain import titles
from flask_app.domain.tree import path_to
from flask_app.errors import Conflict, NotFound
from flask_app.models import Assistant, Conversation, SharedAssistant, User
from flask_app.services.chat import history, instructions
from flask_app.services.chat.history import Node, Said
from flask_app.services.chat.instructions import Chosen
from flask_app.services.conversations import archive_service


@dataclass(slots=True)
class Placed:
    """The ids that a message gets; `assistant` is whose conversation it is, and `path` what was said before it."""

    conversation_id: str
    title: str
    is_new: bool
    assistant: Chosen
    parent_id: str | None = None
    path: Sequence[Node] = ()


def begin(connection: Connection, actor: User, asked: Said, assistant_id: str | None) -> Placed:
    """A new conversation; raises NotFound("unknown_assistant")."""
    assistant = instructions.of_assistant(connection, actor, assistant_id) if assistant_id else Chosen()
    named = "" if asked.text.strip() else " ".join(each.name for each in asked.attached)
    title = titles.first_words(asked.text + named)
    return Placed(new_id(), title, is_new=True, assistant=assistant)


def follow(
    connection: Connection, actor: User, conversation_id: str, parent_id: str | None, *, at_root: bool
) -> Placed:
    """After `parent_id`, else after nothing if `at_root`, else after the newest message.

    Raises NotFound, and Conflict("answer_running") where the answer is still being written that it follows.
    """
    conversation = connection.execute(owned(actor, conversation_id)).one_or_none()
    if conversation is None:
        raise NotFound
    if conversation.archived:
        archive_service.bring_back(connection, actor.id, conversation.id)
    assistant = Chosen(told=instructions.turns(conversation.instructions))
    placed = Placed(conversation.id, conversation.title, is_new=False, assistant=assistant)
    messages = history.messages_of(connection, conversation.id)
    if not messages or at_root:
        return placed
    placed.parent_id = parent_id or _newest(messages).id
    placed.path = _path(placed.parent_id, messages)
    return placed


def owned(actor: User, conversation_id: str) -> Select[str, str, bool, str]:
    own = (Conversation.id == conversation_id, Conversation.user_id == actor.id)
    columns = (Conversation.id, Conversation.title, Conversation.archived, instructions.INSTRUCTIONS)
    found = select(*columns).select_from(Conversation).outerjoin(Assistant, instructions.OF_CONVERSATION)
    return found.outerjoin(SharedAssistant, instructions.SHARED_OF_CONVERSATION).where(*own)


def _path(message_id: str, messages: Sequence[Node]) -> Sequence[Node]:
    try:
        path = path_to(message_id, messages)
    except KeyError as error:
        raise NotFound from error
    if path[-1].status == "running":
        raise Conflict("answer_running")
    return path


def _newest(messages: Sequence[Node]) -> Node:
    """The last answer, or the last question when its answer was never begun."""
    parents = {message.parent_id for message in messages}
    return [message for message in messages if message.id not in parents][-1]
