"""Conversations as a file of our own: `docs/conversations.schema.json` is made of this.

Another version of the format has another number; fields are added without one, and readers pass over those they do
not know.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from flask_app.domain.tools import Call
from flask_app.domain.web_sources import Search

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Counts(msgspec.Struct, kw_only=True):
    """What an answer took, in tokens, as the ledger has it: all its runs together.

    `source` is "estimated" where a part of it is, else "reported".
    """

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    source: str


class Named(msgspec.Struct, kw_only=True):
    """A file that goes with a question: what it is, without its content. `kind`: picture, document or text.

    `digest` is the SHA-256 of its content, where that is known: it goes with what expires. `absent` is why the content
    was not there: expired, or left_out of what had been imported. `told` is how a model is told its words: whole,
    pages or search; `told_parts` are the pages ("3-7, 12"), or where in it the passages are ("0-1200 5000-6100").
    """

    id: Name
    name: str
    kind: str
    content_type: str
    bytes: int
    digest: str | None = None
    absent: str | None = None
    told: str = "whole"
    told_parts: str | None = None


class Said(msgspec.Struct, kw_only=True):
    """A message. `parent_id` is the one that it follows: two that follow the same one begin branches.

    `status`: complete, stopped, left, interrupted, failed or running. `thinking_ms` is how long was thought before the
    text. `model` is the one that was asked for. `files` are those of a question: their contents, where they
    are taken along, come and go beside this. `search` is what was looked up on the web for a question. `calls` of tools
    were made for an answer, round by round: `status` is done, failed, refused, stopped, or where it has not ended
    waiting or running.
    """

    id: Name
    parent_id: Name | None
    role: Literal["user", "assistant"]
    status: str = "complete"
    text: str
    reasoning: str = ""
    thinking_ms: int | None = None
    model: str | None = None
    finish_reason: str | None = None
    error_code: str | None = None
    created_at: Moment
    usage: Counts | None = None
    files: list[Named] = []
    search: Search | None = None
    calls: list[Call] = []


class Companion(msgspec.Struct, kw_only=True):
    """An assistant, by its name: what it is told goes along in the file of everything of one's own alone."""

    name: str
    icon: str = ""


class Talk(msgspec.Struct, kw_only=True):
    """A conversation, its messages in the order of their times. One that is archived keeps its pin and its folder."""

    id: Name
    title: str
    folder_id: Name | None = None
    created_at: Moment
    updated_at: Moment
    pinned_at: Moment | None = None
    archived: bool = False
    assistant: Companion | None = None
    messages: list[Said]


class Drawer(msgspec.Struct, kw_only=True):
    """A folder."""

    id: Name
    name: str
    created_at: Moment


class Head(msgspec.Struct, kw_only=True):
    """What stands before the conversations. All times are UTC."""

    format: Literal["mingchat.conversations"] = "mingchat.conversations"
    version: Literal[1] = 1
    exported_at: Moment
    folders: list[Drawer]


class File(Head, kw_only=True):
    """Conversations of one person, each on a line of its own: a file of any size can be read piece by piece."""

    conversations: list[Talk]
