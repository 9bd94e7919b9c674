"""Assistants as JSON. A list has the beginnings of their instructions; one alone has the whole."""

from datetime import datetime
from typing import Annotated, Any, cast

import msgspec
from flask import g

from flask_app.domain.events import estimate_tokens
from flask_app.domain.serving import Thinking
from flask_app.errors import NotFound
from flask_app.models import Assistant
from flask_app.services.assistants import assistant_terms, own_assistants
from flask_app.services.assistants.assistant_terms import Wanted, thinking_of
from flask_app.services.assistants.own_assistants import Listed
from flask_app.web.bodies import Body, Reply

MOST_BYTES = 1 << 18  # of a body: a character can take twelve
MOST_OFFERED = 6  # on the page of a new chat

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=4 * assistant_terms.MAX_NAME)]
Icon = Annotated[str, msgspec.Meta(max_length=4 * assistant_terms.MAX_ICON)]
Instructions = Annotated[str, msgspec.Meta(min_length=1, max_length=2 * assistant_terms.MAX_INSTRUCTIONS)]
Model = Annotated[str, msgspec.Meta(max_length=128)]


class AssistantBody(Body):
    """`model` is an id, name or alias; `thinking` whether is thought about an answer first, or with which effort. null
    is as usual. `icon` is an emoji, or some letters."""

    name: Name
    instructions: Instructions
    icon: Icon = ""
    model: Model | None = None
    thinking: Thinking | None = None

    def wanted(self) -> Wanted:
        return cast("Wanted", msgspec.structs.asdict(self))


class AssistantChanges(Body):
    """What is not given stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    icon: Icon | msgspec.UnsetType = msgspec.UNSET
    instructions: Instructions | msgspec.UnsetType = msgspec.UNSET
    model: Model | msgspec.UnsetType | None = msgspec.UNSET
    thinking: Thinking | msgspec.UnsetType | None = msgspec.UNSET

    def wanted(self) -> Wanted:
        given = msgspec.structs.asdict(self).items()
        return cast("Wanted", {name: value for name, value in given if value is not msgspec.UNSET})


class AssistantReply(Reply):
    id: str
    name: str
    icon: str
    instructions: str
    model: str | None
    thinking: Thinking | None
    created_at: datetime
    updated_at: datetime


class ListedAssistant(Reply):
    """`beginning` is that of its instructions."""

    id: str
    name: str
    icon: str
    beginning: str
    model: str | None
    thinking: Thinking | None
    updated_at: datetime


class AssistantsReply(Reply):
    assistants: list[ListedAssistant]


class OfferedAssistant(Reply):
    id: str
    name: str
    icon: str


class ChosenAssistant(OfferedAssistant):
    """The one that a new chat begins with. `tokens`: about how many its instructions are."""

    model: str | None
    thinking: Thinking | None
    tokens: int


def assistant_reply(assistant: Assistant) -> AssistantReply:
    names = ("id", "name", "icon", "instructions", "model", "created_at", "updated_at")
    return AssistantReply(**_own(assistant, names), thinking=thinking_of(assistant.thinking))


def assistants_reply(found: list[Listed]) -> AssistantsReply:
    return AssistantsReply(
        assistants=[ListedAssistant(**each._asdict() | {"thinking": thinking_of(each.thinking)}) for each in found]
    )


def offered() -> list[OfferedAssistant]:
    """Those of the reader that a new chat shows, and one more where there are more."""
    return [OfferedAssistant(**each._asdict()) for each in own_assistants.offered(g.user, MOST_OFFERED + 1)]


def chosen(assistant_id: str | None) -> ChosenAssistant | None:
    """None also for one that is not there, or no more."""
    try:
        found = own_assistants.one(g.user, assistant_id) if assistant_id else None
    except NotFound:
        return None
    if found is None:
        return None
    own = _own(found, ("id", "name", "icon", "model"))
    return ChosenAssistant(**own, thinking=thinking_of(found.thinking), tokens=estimate_tokens(found.instructions))


def _own(assistant: Assistant, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(assistant, name) for name in names}
