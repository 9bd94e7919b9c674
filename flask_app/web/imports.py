"""Conversations that come in, and what became of each, as JSON."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from flask_app.services.portability.conversation_format import Drawer, Moment, Name, Talk
from flask_app.services.portability.conversation_import import MOST_AT_ONCE, MOST_LOOKED_UP, Outcome, Sketch
from flask_app.web.bodies import Body, Reply

MOST_CONTENTS = 2_000


class Glimpse(msgspec.Struct, kw_only=True):
    """A conversation without what was said. `messages`: the ids of its messages, so that it is told whether some are
    new; `filled`: of those among them for whose files the contents are at hand.
    """

    id: Name
    created_at: Moment
    updated_at: Moment
    messages: list[Name] = []
    filled: list[Name] = []


class LookBody(Body):
    """At most 1,000; 200 of them with the ids of their messages."""

    conversations: Annotated[list[Glimpse], msgspec.Meta(max_length=MOST_LOOKED_UP)]

    def sketches(self) -> list[Sketch]:
        return [
            Sketch(each.id, each.created_at, each.updated_at, each.messages, each.filled) for each in self.conversations
        ]


class ImportBody(Body):
    """A part of a file of docs/conversations.schema.json: at most 200 conversations, and the folders that they name.

    `contents`: of the files that they name, by their ids there, the id that each got from `POST /api/files`. The others
    are named alone.
    """

    conversations: Annotated[list[Talk], msgspec.Meta(max_length=MOST_AT_ONCE)]
    folders: Annotated[list[Drawer], msgspec.Meta(max_length=MOST_AT_ONCE)] = []  # noqa: RUF012 - copied by msgspec
    contents: Annotated[dict[Name, Name], msgspec.Meta(max_length=MOST_CONTENTS)] = {}  # noqa: RUF012 - as well


class OutcomeReply(Reply):
    """`outcome`: imported, continued (messages or contents of files that were not there have come), known (it is there
    already), too_old (the site would delete it at once) or refused, for the reason `code`. `id` is that of the file,
    `conversation_id` the one that it has here.
    """

    id: str
    outcome: str
    conversation_id: str | None
    code: str | None


class OutcomesReply(Reply):
    """In the order in which they were sent."""

    outcomes: list[OutcomeReply]


def outcomes_reply(outcomes: Iterable[Outcome]) -> OutcomesReply:
    return OutcomesReply(
        outcomes=[
            OutcomeReply(id=each.id, outcome=each.outcome, conversation_id=each.conversation_id, code=each.code)
            for each in outcomes
        ]
    )
