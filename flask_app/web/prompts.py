"""Prompts as JSON. A list has the beginnings of their texts; one alone has the whole."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from flask import g

from flask_app.domain import prompt_text
from flask_app.models import Prompt, SharedPrompt
from flask_app.services.people import group_service
from flask_app.services.prompts import offered_prompts, own_prompts, prompt_terms, shared_prompts
from flask_app.services.prompts.prompt_terms import Asked, Wanted
from flask_app.services.queries import paging
from flask_app.web import arguments
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.groups import GroupName

MOST_BYTES = 1 << 18  # of a body: a character can take twelve


class PromptBody(Body):
    """`command`: letters, digits, `-` and `_`, without the slash. `text` may have variables: `{{topic}}`, or
    `{{topic: what stands there at first}}`."""

    command: Annotated[str, msgspec.Meta(min_length=1, max_length=4 * prompt_text.MAX_COMMAND)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=4 * prompt_terms.MAX_TITLE)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * prompt_terms.MAX_TEXT)]

    def wanted(self) -> Wanted:
        return Wanted(self.command, self.title, self.text)


class SharedPromptBody(PromptBody):
    """`group_id` null is for everybody."""

    group_id: Words | None = None


class PromptReply(Reply):
    id: str
    command: str
    title: str
    text: str
    created_at: datetime
    updated_at: datetime


class SharedPromptReply(PromptReply):
    """`group_id` null is for everybody."""

    group_id: str | None


class ListedPrompt(Reply):
    """`beginning` is that of its text."""

    id: str
    command: str
    title: str
    beginning: str
    updated_at: datetime


class ListedSharedPrompt(ListedPrompt):
    """`group` null: for everybody."""

    group: GroupName | None


class PromptsReply(Reply):
    prompts: list[ListedPrompt]
    next: str | None


class SharedPromptsReply(Reply):
    prompts: list[ListedSharedPrompt]
    next: str | None


class SharedPromptsState(SharedPromptsReply):
    """With the groups to choose from."""

    groups: list[GroupName]


class OfferedPrompt(Reply):
    """`source` is "own", "group" or "site"."""

    id: str
    command: str
    title: str
    source: str


class OfferedPromptsReply(Reply):
    prompts: list[OfferedPrompt]


class PromptTextReply(Reply):
    text: str


def asked() -> Asked:
    """The page that a request is for."""
    search, limit = arguments.word("q") or "", arguments.number("limit", paging.PAGE)
    return Asked(search=search, before=arguments.word("before"), limit=limit)


def prompt_reply(prompt: Prompt) -> PromptReply:
    return PromptReply(**_words(prompt))


def shared_prompt_reply(prompt: SharedPrompt) -> SharedPromptReply:
    return SharedPromptReply(**_words(prompt), group_id=prompt.group_id)


def prompts_reply(page: own_prompts.Page) -> PromptsReply:
    return PromptsReply(prompts=[ListedPrompt(**each._asdict()) for each in page.prompts], next=page.next)


def shared_prompts_reply(page: shared_prompts.Page) -> SharedPromptsReply:
    return SharedPromptsReply(prompts=[_listed(each) for each in page.prompts], next=page.next)


def offered_reply(offered: list[offered_prompts.Offered]) -> OfferedPromptsReply:
    return OfferedPromptsReply(prompts=[OfferedPrompt(**each._asdict()) for each in offered])


def _listed(prompt: shared_prompts.Listed) -> ListedSharedPrompt:
    columns = prompt._asdict()
    group_id, name = columns.pop("group_id"), columns.pop("group_name")
    group = GroupName(id=group_id, name=group_service.name_in(g.locale, group_id, name)) if group_id else None
    return ListedSharedPrompt(**columns, group=group)


def _words(prompt: Prompt | SharedPrompt) -> dict[str, Any]:
    names = ("id", "command", "title", "text", "created_at", "updated_at")
    return {name: getattr(prompt, name) for name in names}
