"""Prompts and assistants as they come from the file of everything of one's own, and what becomes of each.

None of the ids in a file is ever used. One's own here follows from its person and the one in the file, so that the same
one comes once however often it is sent.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from flask_app.database import derived_id
from flask_app.domain import prompt_text
from flask_app.domain.serving import Thinking
from flask_app.models import User
from flask_app.services.assistants import assistant_terms
from flask_app.services.portability import message_tree
from flask_app.services.portability.conversation_format import Moment, Name
from flask_app.services.prompts import prompt_terms

IMPORTED, KNOWN, REFUSED = "imported", "known", "refused"


class BroughtPrompt(msgspec.Struct, kw_only=True):
    """A line of `prompts.jsonl`."""

    id: Name
    command: Annotated[str, msgspec.Meta(max_length=4 * prompt_text.MAX_COMMAND)]
    title: Annotated[str, msgspec.Meta(max_length=4 * prompt_terms.MAX_TITLE)]
    text: Annotated[str, msgspec.Meta(max_length=2 * prompt_terms.MAX_TEXT)]
    created_at: Moment
    updated_at: Moment


class KnownFile(msgspec.Struct, kw_only=True):
    """A document that an assistant knows, by the id that the file has it under."""

    id: Name
    name: Annotated[str, msgspec.Meta(max_length=1000)]


class BroughtAssistant(msgspec.Struct, kw_only=True):
    """A line of `assistants.jsonl`."""

    id: Name
    name: Annotated[str, msgspec.Meta(max_length=4 * assistant_terms.MAX_NAME)]
    icon: Annotated[str, msgspec.Meta(max_length=4 * assistant_terms.MAX_ICON)] = ""
    instructions: Annotated[str, msgspec.Meta(max_length=2 * assistant_terms.MAX_INSTRUCTIONS)]
    model: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    thinking: Thinking | None = None
    created_at: Moment
    updated_at: Moment
    files: Annotated[list[KnownFile], msgspec.Meta(max_length=100)] = []


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one: IMPORTED, KNOWN (it is there already) or REFUSED, for the reason `code`. `id` is that of the
    file. `lacks`: an assistant comes without its model, or some of its documents.
    """

    id: str
    outcome: str
    code: str | None = None
    lacks: bool = False


def id_here(actor: User, each: BroughtPrompt | BroughtAssistant) -> str:
    """The one that it gets."""
    began = min(max(each.created_at, message_tree.EARLIEST), message_tree.LATEST)
    return derived_id(began, f"{actor.id}\n{type(each).__name__}\n{each.id}")


def moments(each: BroughtPrompt | BroughtAssistant, now: datetime) -> dict[str, datetime]:
    """The columns of its times."""
    return {name: message_tree.moment(getattr(each, name), now) for name in ("created_at", "updated_at")}
