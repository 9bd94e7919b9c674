"""A run's answer in a temporary chat: its events go to a log that readers follow and resume, its words nowhere else."""

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from flask_app.domain.events import Event
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.runs import answer_service, run_events
from flask_app.services.runs.answer_service import Ending
from flask_app.services.runs.run_events import TemporaryRun
from flask_app.statements import Act
from flask_app.streams import RunLog, broker


class TemporaryAnswer:
    """`events` is the log; it can be read from now on, and for as long after the end as any."""

    is_awaited = True

    def __init__(self, begun: TemporaryRun, model: str) -> None:
        self.begun = begun
        self.events: RunLog = broker().open(begun.run_id)
        self._has_ended = False
        run_events.started(self.events, begun, model)

    @property
    def unread_since(self) -> float | None:
        return self.events.unread_since

    def tell_all(self, events: list[Event]) -> None:
        run_events.arrived_together(self.events, events)

    def keep(self, connection: Connection, outcome: Outcome, *, hopes: bool) -> Sequence[Act]:  # noqa: ARG002 - as for any
        answer_service.forget(connection, self.begun.run_id, outcome)
        return ()

    def sum_up(self, connection: Connection) -> None:
        """Nothing came earlier."""

    def wait(self, outcome: Outcome, counted: Entry, *, is_on_disk: bool) -> None:
        """What waits on disk will be booked: nothing is to be saved that its reader would have to wait for."""
        if is_on_disk:
            self._end(outcome, counted)

    def end(self, outcome: Outcome, entry: Entry | None, *, discarded: bool) -> None:  # noqa: ARG002 - nothing is kept
        self._end(outcome, entry)

    def _end(self, outcome: Outcome, entry: Entry | None) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        ending = Ending(outcome.answer_status, outcome.finish_reason, outcome.error_code)
        last = [run_events.counted(entry)] if entry else []
        self.events.finish([*last, run_events.ended(self.begun, ending)])
