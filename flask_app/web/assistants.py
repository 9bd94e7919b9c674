"""Assistants as JSON. A list has the beginnings of their instructions; one alone has the whole."""

from datetime import datetime
from typing import Annotated, Any, cast

import msgspec
from flask import g

from flask_app.domain import files
from flask_app.domain.events import estimate_tokens
from flask_app.domain.serving import Thinking
from flask_app.errors import NotFound
from flask_app.models import Assistant, SharedAssistant
from flask_app.services.assistants import (
    assistant_terms,
    known_files,
    offered_assistants,
    own_assistants,
    shared_assistants,
    shared_files,
)
from flask_app.services.assistants.assistant_terms import Wanted, thinking_of
from flask_app.services.assistants.known_files import Known
from flask_app.services.chat import knowledge
from flask_app.services.people import group_service
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.groups import GroupName
from flask_app.web.models import ModelReply

MOST_BYTES = 1 << 18  # of a body: a character can take twelve
MOST_OFFERED = 6  # on the page of a new chat

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=4 * assistant_terms.MAX_NAME)]
Icon = Annotated[str, msgspec.Meta(max_length=4 * assistant_terms.MAX_ICON)]
Instructions = Annotated[str, msgspec.Meta(min_length=1, max_length=2 * assistant_terms.MAX_INSTRUCTIONS)]
Model = Annotated[str, msgspec.Meta(max_length=128)]
Files = Annotated[list[Words], msgspec.Meta(max_length=4 * known_files.MOST)]


class AssistantBody(Body):
    """`model` is an id, name or alias; `thinking` whether is thought about an answer first, or with which effort. null
    is as usual. `icon` is an emoji, or some letters. `files` are the ids of documents that were brought in
    (`POST /api/files`), and that it knows from then on."""

    name: Name
    instructions: Instructions
    icon: Icon = ""
    model: Model | None = None
    thinking: Thinking | None = None
    files: Files = msgspec.field(default_factory=list)

    def wanted(self) -> Wanted:
        return cast("Wanted", msgspec.structs.asdict(self))


class AssistantChanges(Body):
    """What is not given stays. `files` are all that it knows from then on."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    icon: Icon | msgspec.UnsetType = msgspec.UNSET
    instructions: Instructions | msgspec.UnsetType = msgspec.UNSET
    model: Model | msgspec.UnsetType | None = msgspec.UNSET
    thinking: Thinking | msgspec.UnsetType | None = msgspec.UNSET
    files: Files | msgspec.UnsetType = msgspec.UNSET

    def wanted(self) -> Wanted:
        given = msgspec.structs.asdict(self).items()
        return cast("Wanted", {name: value for name, value in given if value is not msgspec.UNSET})


class SharedAssistantBody(AssistantBody):
    """`group_id` null is for everybody. Of each of `files` its words are copied, for nobody to read."""

    group_id: Words | None = None

    def wanted(self) -> Wanted:
        return _without_group(super().wanted())


class SharedAssistantChanges(AssistantChanges):
    """What is not given stays. `group_id` null is for everybody.

    `files` are all that it knows from then on: those of its own that stay, by the ids that it has them by, and others.
    """

    group_id: Words | msgspec.UnsetType | None = msgspec.UNSET

    def wanted(self) -> Wanted:
        return _without_group(super().wanted())

    def whose(self) -> tuple[str | None] | None:
        return None if self.group_id is msgspec.UNSET else (self.group_id,)


class KnownFileReply(Reply):
    """A document that an assistant knows; `tokens` is about how many its words are."""

    id: str
    name: str
    kind: str
    content_type: str
    bytes: int
    pages: int | None
    tokens: int


class AssistantReply(Reply):
    """`files` are what it knows. One's own have the ids of one's files (`GET /api/files/{file_id}`); those of a shared
    one are nowhere to be read."""

    id: str
    name: str
    icon: str
    instructions: str
    model: str | None
    thinking: Thinking | None
    created_at: datetime
    updated_at: datetime
    files: list[KnownFileReply]


class SharedAssistantReply(AssistantReply):
    """`group_id` null is for everybody."""

    group_id: str | None


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


class ListedSharedAssistant(ListedAssistant):
    """`group` null: for everybody."""

    group: GroupName | None


class SharedAssistantsReply(Reply):
    assistants: list[ListedSharedAssistant]
    next: str | None


class KnowledgeState(Reply):
    """How many documents an assistant knows, of how many megabytes, and up to how many tokens they are told whole; of
    more, passages of so many. Whose group may attach no files may add none."""

    most: int
    most_mb: int
    whole_tokens: int
    passage_tokens: int
    may_add: bool


class SharedAssistantsState(SharedAssistantsReply):
    """With the models and the groups to choose from, and what it may know."""

    knowledge: KnowledgeState
    models: list[ModelReply]
    groups: list[GroupName]


class OfferedAssistant(Reply):
    """`source` is "own", "group" or "site"."""

    id: str
    name: str
    icon: str
    model: str | None
    thinking: Thinking | None
    source: str


class OfferedAssistantsReply(Reply):
    assistants: list[OfferedAssistant]


class ChosenAssistant(Reply):
    """The one that a new chat begins with. `tokens`: about how many its instructions are, and what is told of its
    documents."""

    id: str
    name: str
    icon: str
    model: str | None
    thinking: Thinking | None
    tokens: int


def assistant_reply(assistant: Assistant) -> AssistantReply:
    return AssistantReply(**_whole(assistant), files=_files(known_files.of(assistant.id)))


def shared_assistant_reply(assistant: SharedAssistant) -> SharedAssistantReply:
    known = _files(shared_files.of(assistant.id))
    return SharedAssistantReply(**_whole(assistant), files=known, group_id=assistant.group_id)


def assistants_reply(found: list[own_assistants.Listed]) -> AssistantsReply:
    return AssistantsReply(assistants=[ListedAssistant(**_as_asked(each._asdict())) for each in found])


def shared_assistants_reply(page: shared_assistants.Page) -> SharedAssistantsReply:
    return SharedAssistantsReply(assistants=[_listed(each) for each in page.assistants], next=page.next)


def knowledge_state() -> KnowledgeState:
    return KnowledgeState(
        most=known_files.MOST,
        most_mb=files.MOST_MB,
        whole_tokens=knowledge.WHOLE_TOKENS,
        passage_tokens=knowledge.PASSAGE_TOKENS,
        may_add=g.file_quota_mb > 0,
    )


def offered(found: list[offered_assistants.Offered]) -> list[OfferedAssistant]:
    return [OfferedAssistant(**_as_asked(each._asdict())) for each in found]


def chosen(assistant_id: str | None) -> ChosenAssistant | None:
    """None also for one that the reader cannot begin with, or no more."""
    try:
        found = offered_assistants.one(g.user, assistant_id) if assistant_id else None
    except NotFound:
        return None
    if found is None:
        return None
    own = {name: getattr(found, name) for name in ("id", "name", "icon", "model", "thinking")}
    return ChosenAssistant(**_as_asked(own), tokens=estimate_tokens(found.instructions) + knowledge.tokens_of(found))


def _listed(assistant: shared_assistants.Listed) -> ListedSharedAssistant:
    columns = _as_asked(assistant._asdict())
    group_id, name = columns.pop("group_id"), columns.pop("group_name")
    group = GroupName(id=group_id, name=group_service.name_in(g.locale, group_id, name)) if group_id else None
    return ListedSharedAssistant(**columns, group=group)


def _files(known: list[Known]) -> list[KnownFileReply]:
    return [KnownFileReply(**each._asdict()) for each in known]


def _whole(assistant: Assistant | SharedAssistant) -> dict[str, Any]:
    names = ("id", "name", "icon", "instructions", "model", "thinking", "created_at", "updated_at")
    return _as_asked({name: getattr(assistant, name) for name in names})


def _as_asked(columns: dict[str, Any]) -> dict[str, Any]:
    return columns | {"thinking": thinking_of(columns["thinking"])}


def _without_group(wanted: Wanted) -> Wanted:
    return cast("Wanted", {name: value for name, value in wanted.items() if name != "group_id"})
