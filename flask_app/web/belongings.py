"""Prompts and assistants that come in, and what became of each, as JSON."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from flask import g

from flask_app.models import User
from flask_app.services.assistants import assistant_terms
from flask_app.services.portability import brought_assistants, brought_prompts
from flask_app.services.portability.belongings import BroughtAssistant, BroughtPrompt, Outcome
from flask_app.services.portability.conversation_format import Name
from flask_app.services.prompts import prompt_terms
from flask_app.web.bodies import Body, Reply

MOST_CONTENTS = 2_000


class BelongingsBody(Body):
    """Lines of `prompts.jsonl` and `assistants.jsonl`, as the file of everything of one's own has them.

    `contents`: of the documents that assistants know, by their ids there, the id that each got from `POST /api/files`.
    Assistants do without the others.
    """

    prompts: Annotated[list[BroughtPrompt], msgspec.Meta(max_length=prompt_terms.MOST)] = []  # noqa: RUF012 - copied by msgspec
    assistants: Annotated[list[BroughtAssistant], msgspec.Meta(max_length=assistant_terms.MOST)] = []  # noqa: RUF012
    contents: Annotated[dict[Name, Name], msgspec.Meta(max_length=MOST_CONTENTS)] = {}  # noqa: RUF012 - as well


class BelongingReply(Reply):
    """`outcome`: imported, known (it is there already) or refused, for the reason `code`. `id` is that of the file.
    `lacks`: an assistant comes without its model, which is not here, or without some of its documents.
    """

    id: str
    outcome: str
    code: str | None
    lacks: bool


class BelongingsReply(Reply):
    """Each in the order in which they were sent."""

    prompts: list[BelongingReply]
    assistants: list[BelongingReply]


def looked_at(actor: User, body: BelongingsBody) -> BelongingsReply:
    return BelongingsReply(
        prompts=_replies(brought_prompts.look(actor, body.prompts)),
        assistants=_replies(brought_assistants.look(actor, body.assistants, g.allowed_models)),
    )


def brought_in(actor: User, body: BelongingsBody) -> BelongingsReply:
    """Raises as `brought_prompts.bring_in` does."""
    return BelongingsReply(
        prompts=_replies(brought_prompts.bring_in(actor, body.prompts)),
        assistants=_replies(brought_assistants.bring_in(actor, body.assistants, body.contents, g.allowed_models)),
    )


def _replies(outcomes: Iterable[Outcome]) -> list[BelongingReply]:
    return [BelongingReply(id=each.id, outcome=each.outcome, code=each.code, lacks=each.lacks) for each in outcomes]
