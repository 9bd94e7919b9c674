"""What the assistant of a conversation tells the model first: its instructions, as they are now."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from flask_app.errors import NotFound
from flask_app.models import Assistant, Conversation, SharedAssistant, User
from flask_app.services.chat.prompts import Turn

# One that is somebody else's tells nothing, and a group's no longer where its person has left that.
OF_CONVERSATION: ColumnElement[bool] = and_(
    Assistant.id == Conversation.assistant_id, Assistant.user_id == Conversation.user_id
)
_group_of_person = select(User.group_id).where(User.id == Conversation.user_id).correlate(Conversation)
SHARED_OF_CONVERSATION: ColumnElement[bool] = and_(
    SharedAssistant.id == Conversation.shared_assistant_id,
    or_(SharedAssistant.group_id.is_(None), SharedAssistant.group_id == _group_of_person.scalar_subquery()),
)
INSTRUCTIONS = func.coalesce(Assistant.instructions, SharedAssistant.instructions).label("instructions")
_OF_CONVERSATION = (
    select(INSTRUCTIONS)
    .select_from(Conversation)
    .outerjoin(Assistant, OF_CONVERSATION)
    .outerjoin(SharedAssistant, SHARED_OF_CONVERSATION)
    .where(Conversation.id == bindparam("conversation"))
)
_OWN = select(Assistant.instructions).where(
    Assistant.id == bindparam("assistant"), Assistant.user_id == bindparam("person")
)
_SHARED = select(SharedAssistant.instructions).where(
    SharedAssistant.id == bindparam("assistant"),
    or_(SharedAssistant.group_id.is_(None), SharedAssistant.group_id == bindparam("group")),
)


class Chosen(NamedTuple):
    """With whom a conversation begins: one's own, one that is shared, or neither; and what that tells."""

    assistant_id: str | None = None
    shared_assistant_id: str | None = None
    told: tuple[Turn, ...] = ()


def of_conversation(connection: Connection, conversation_id: str) -> tuple[Turn, ...]:
    """None where it has no assistant, or has it no more."""
    return turns(connection.scalar(_OF_CONVERSATION, {"conversation": conversation_id}))


def of_assistant(connection: Connection, actor: User, assistant_id: str) -> Chosen:
    """Raises NotFound("unknown_assistant") for somebody else's, another group's, and one that is gone."""
    asked = {"assistant": assistant_id, "person": actor.id, "group": actor.group_id}
    if (own := connection.scalar(_OWN, asked)) is not None:
        return Chosen(assistant_id=assistant_id, told=turns(own))
    if (shared := connection.scalar(_SHARED, asked)) is not None:
        return Chosen(shared_assistant_id=assistant_id, told=turns(shared))
    raise NotFound("unknown_assistant")


def turns(instructions: str | None) -> tuple[Turn, ...]:
    return (Turn("system", instructions),) if instructions else ()
