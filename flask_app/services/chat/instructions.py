"""What the assistant of a conversation tells the model first: its instructions, as they are now."""

from sqlalchemy import ColumnElement, and_, bindparam, select
from sqlalchemy.engine import Connection

from flask_app.errors import NotFound
from flask_app.models import Assistant, Conversation
from flask_app.services.chat.prompts import Turn

# One that is somebody else's tells nothing.
OF_CONVERSATION: ColumnElement[bool] = and_(
    Assistant.id == Conversation.assistant_id, Assistant.user_id == Conversation.user_id
)
_OF_CONVERSATION = (
    select(Assistant.instructions)
    .join(Conversation, OF_CONVERSATION)
    .where(Conversation.id == bindparam("conversation"))
)
_OWN = select(Assistant.instructions).where(
    Assistant.id == bindparam("assistant"), Assistant.user_id == bindparam("person")
)


def of_conversation(connection: Connection, conversation_id: str) -> list[Turn]:
    """None where it has no assistant, or has it no more."""
    return turns(connection.scalar(_OF_CONVERSATION, {"conversation": conversation_id}))


def of_assistant(connection: Connection, person_id: str, assistant_id: str) -> list[Turn]:
    """Raises NotFound("unknown_assistant") for somebody else's, and one that is gone."""
    found = connection.scalar(_OWN, {"assistant": assistant_id, "person": person_id})
    if found is None:
        raise NotFound("unknown_assistant")
    return turns(found)


def turns(instructions: str | None) -> list[Turn]:
    return [Turn("system", instructions)] if instructions else []
