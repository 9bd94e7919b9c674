"""What is asked of the chat: the bodies of a message, of another answer, of more of one."""

from typing import Annotated

import msgspec

from flask_app.domain.serving import Thinking
from flask_app.web.bodies import Body, IdempotencyKey
from flask_app.web.calls import ChosenTools
from flask_app.web.files import FileToSend, Id


class SendMessage(Body):
    message: str
    conversation_id: Id | None = None
    parent_id: Id | msgspec.UnsetType | None = msgspec.UNSET
    model: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    thinking: Thinking = False
    files: Annotated[list[Id | FileToSend], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list)
    assistant_id: Id | None = None
    search: bool = False
    tools: ChosenTools = msgspec.field(default_factory=list)
    idempotency_key: IdempotencyKey | None = None


class AnswerAgain(Body):
    model: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    thinking: Thinking = False
    search: bool = False
    tools: ChosenTools = msgspec.field(default_factory=list)
    idempotency_key: IdempotencyKey | None = None


class GoOn(Body):
    idempotency_key: IdempotencyKey | None = None
