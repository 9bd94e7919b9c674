"""A run's answer in a conversation: its events go to a log that readers follow and resume, its text to its message."""

from collections.abc import Callable, Sequence

from sqlalchemy.engine import Connection

from flask_app.database import utc_now
from flask_app.domain.events import Event
from flask_app.domain.tools import RUNNING, Call
from flask_app.domain.web_sources import Search
from flask_app.services.chat.prompts import Request
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.runs import answer_service, run_events
from flask_app.services.runs.answer_service import Ending
from flask_app.services.runs.run_events import Begun
from flask_app.services.usage import message_usage
from flask_app.statements import Act
from flask_app.streams import RunLog, broker


class ChatAnswer:
    """`events` is the log; it can be read from now on. `ended` hears how it ended, once its readers have."""

    is_awaited = True

    def __init__(self, begun: Begun, request: Request, ended: Callable[[Outcome], object] = lambda _: None) -> None:
        self.begun = begun
        self._ended = ended
        self.events: RunLog = broker().open(begun.run_id)
        self._ending: Ending
        self._waits = False
        self._sum: Entry | None = None  # of all runs on the message, where there were others
        run_events.started(self.events, begun, request.model.name)
        if request.earlier and request.begun:
            run_events.whole(self.events, request.begun, request.earlier.reasoning, request.earlier.thinking_ms)

    @property
    def unread_since(self) -> float | None:
        return self.events.unread_since

    def tell(self, event: Event) -> None:
        run_events.arrived(self.events, event)

    def tell_all(self, events: list[Event]) -> None:
        run_events.arrived_together(self.events, events)

    def tell_search(self, search: Search) -> None:
        """That the web is being searched, and what came of it."""
        run_events.searched(self.events, search)

    def tell_found(self, search: Search) -> None:
        """What its model has found by now, itself."""
        run_events.found(self.events, search)

    def tell_call(self, call: Call) -> None:
        """How a call of a tool stands now."""
        run_events.called(self.events, call, utc_now() if call.status == RUNNING else None)

    def keep(self, connection: Connection, outcome: Outcome, *, hopes: bool) -> Sequence[Act]:
        begun = self.begun
        ids = {"run_id": begun.run_id, "message_id": begun.message_id}
        if hopes and not self._waits:
            self._ending = Ending.of(outcome)
            return answer_service.ending(outcome, **ids, conversation_id=begun.conversation_id)
        self._ending = answer_service.end(connection, outcome, **ids, conversation_id=begun.conversation_id)
        if self._waits:  # a reaper elsewhere may have ended it meanwhile, without its last words
            answer_service.restore(connection, outcome, **ids)
        return ()

    def sum_up(self, connection: Connection) -> None:
        self._sum = message_usage.of_message(connection, self.begun.message_id)

    def wait(self, outcome: Outcome, counted: Entry, *, is_on_disk: bool) -> None:  # noqa: ARG002 - `end` tells
        if not self._waits:
            self.events.append(*run_events.failed(self.begun, "not_saved_yet"))
        self._waits = True

    def end(self, outcome: Outcome, entry: Entry | None, *, discarded: bool) -> None:
        told, begun = self._sum or entry, self.begun
        is_told = outcome.earlier is not None and outcome.earlier.is_told
        if not (outcome.began or outcome.whole_text or is_told):  # nothing has taken the place of thoughts that stood
            run_events.whole(self.events, "", outcome.whole_reasoning, outcome.whole_thinking_ms)
        last = [run_events.counted(told)] if told else []
        if discarded:
            last.append(run_events.failed(begun, "conversation_gone"))
        else:
            last.append(run_events.ended(begun, self._ending))
        self.events.finish(last)
        if not discarded:
            self._ended(outcome)
