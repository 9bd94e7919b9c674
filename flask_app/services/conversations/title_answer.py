"""A run's answer that becomes the title of a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.domain import titles
from flask_app.domain.events import Event
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.conversations import conversation_service
from flask_app.services.runs import answer_service
from flask_app.statements import Act

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleRun:
    """A run that makes a title. It belongs to no conversation: that one is neither busy meanwhile, nor does it wait."""

    run_id: str
    conversation_id: None = None
    message_id: None = None


class TitleAnswer:
    """Nobody follows it, and nobody hears that it failed."""

    is_awaited = False
    unread_since = None

    def __init__(self, begun: TitleRun, of_conversation: str, instead_of: str) -> None:
        self.begun = begun
        self._of_conversation = of_conversation
        self._instead_of = instead_of

    def tell_all(self, events: list[Event]) -> None:
        """The outcome has the words."""

    def keep(self, connection: Connection, outcome: Outcome, *, hopes: bool) -> Sequence[Act]:  # noqa: ARG002 - as for any
        answer_service.forget(connection, self.begun.run_id, outcome)
        return ()

    def sum_up(self, connection: Connection) -> None:
        """Nothing came earlier."""

    def wait(self, outcome: Outcome, counted: Entry, *, is_on_disk: bool) -> None:
        """Nobody does."""

    def end(self, outcome: Outcome, entry: Entry | None, *, discarded: bool) -> None:  # noqa: ARG002 - as for any
        run_id = self.begun.run_id
        title = titles.cleaned(outcome.text) if outcome.status == "complete" else None
        if title is None:
            log.warning("no_title", run=run_id, status=outcome.status, code=outcome.error_code)
            return
        try:
            conversation_service.entitle(self._of_conversation, title, run_id=run_id, instead_of=self._instead_of)
        except SQLAlchemyError as error:
            log.warning("title_not_saved", run=run_id, reason=str(error.__cause__ or error))
