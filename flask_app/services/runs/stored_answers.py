"""Answers as the database has them, for readers whose run's log cannot be had."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, exists, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain.tools import Call
from flask_app.domain.web_sources import Search
from flask_app.models import Conversation, Message, Run, WebSearch
from flask_app.services.runs import answer_service
from flask_app.services.runs.answer_service import Ending
from flask_app.services.tools import tool_calls
from flask_app.services.web_search import searches

_runs, _messages, _conversations = table_of(Run), table_of(Message), table_of(Conversation)
_asked_or_answered = table_of(WebSearch).c.message_id.in_([_runs.c.user_message_id, _runs.c.message_id])
_is_searched = exists().where(_asked_or_answered)
_calls = tool_calls.OF_MESSAGE.label("has_calls")
_ANSWERS = (
    select(
        *(_runs.c.id, _runs.c.user_message_id, _is_searched.label("is_searched"), _runs.c.message_id, _calls),
        *(_runs.c.status, _conversations.c.title, _messages.c.model),
        *(_messages.c.text, _messages.c.reasoning, _messages.c.thinking_ms),
        *(answer_service.FINISH_REASON, answer_service.ERROR_CODE),
    )
    .join(_messages, _messages.c.id == _runs.c.message_id)
    .join(_conversations, _conversations.c.id == _runs.c.conversation_id)
    .where(_runs.c.id.in_(bindparam("runs", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer of a run as far as it is kept, with the title of its conversation, what was looked up for it, the
    calls of tools that were made, and what its model `found` itself."""

    title: str
    model: str | None
    text: str
    reasoning: str
    thinking_ms: int | None
    ending: Ending  # its status is "running" while the run goes on
    search: Search | None = None
    calls: Sequence[Call] = ()
    found: Search | None = None

    @property
    def is_over(self) -> bool:
        return self.ending.status != "running"

    @property
    def has_words(self) -> bool:
        return bool(self.text or self.reasoning)

    @property
    def thought_ms(self) -> int | None:
        """How long it was thought about; None while it is, and where that is not known."""
        return self.thinking_ms if self.text or self.is_over else None

    def goes_on_from(self, before: "StoredAnswer") -> bool:
        """Does it have all of those words, and perhaps more?"""
        return self.text.startswith(before.text) and self.reasoning.startswith(before.reasoning)


def of_runs(connection: Connection, runs: Collection[str]) -> dict[str, StoredAnswer]:
    """Those of the runs that are there, by the run's id."""
    rows = connection.execute(_ANSWERS, {"runs": list(runs)}).all()
    found = searches.of_messages(connection, _places(rows))
    called = tool_calls.of_messages(connection, [row.message_id for row in rows if row.has_calls])
    return {
        row.id: StoredAnswer(
            *(row.title, row.model, row.text, row.reasoning, row.thinking_ms),
            Ending(row.status, row.finish_reason, row.error_code),
            found.get(row.user_message_id),
            called.get(row.message_id, ()),
            found.get(row.message_id),
        )
        for row in rows
    }


def _places(rows: Sequence[Row[Any]]) -> list[str]:
    """The questions, and the answers, of those for which something was looked up."""
    return [place for row in rows if row.is_searched for place in (row.user_message_id, row.message_id)]
