"""A run's answer to a program that speaks Anthropic's Messages API: as events while it comes, or whole once it has."""

from flask_app.domain.events import Event, Served, ToolCall, Words
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway import completion_objects, gateway_errors, message_faults, message_objects
from flask_app.services.gateway.message_objects import Message, MessageEvents, UnreadableCall
from flask_app.services.gateway.program_answers import ProgramRun, Streamed, Whole

_UNREADABLE = "upstream_garbage"


class StreamedMessage(Streamed):
    """Each piece of the answer becomes an event."""

    heartbeat = message_objects.PING

    def __init__(self, begun: ProgramRun) -> None:
        super().__init__(begun)
        self._written = MessageEvents(begun.run_id, begun.model, begun.prompt_tokens)

    def tell(self, event: Event) -> None:
        if isinstance(event, Words):
            self.has_begun = True
            self.events.add(self._written.words(event))
        elif isinstance(event, Served):
            self._written.serve(event.model)

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if self.failure:
            return [self._fault(self.failure)]
        try:
            return [self._written.finish(outcome.finish_reason, entry)]
        except UnreadableCall:
            self.failure = _UNREADABLE
            return [self._fault(self.failure)]

    def _fault(self, code: str) -> bytes:
        said = gateway_errors.words(code, self.begun.locale)
        reply = message_faults.fault(gateway_errors.failure(code), said, self.begun.request_id)
        return message_objects.fault_event(reply)


class WholeMessage(Whole[Message]):
    """A message."""

    def __init__(self, begun: ProgramRun) -> None:
        super().__init__(begun)
        self._calls: list[ToolCall] = []

    def tell(self, event: Event) -> None:
        if isinstance(event, ToolCall):
            self._calls.append(event)

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if not self.failure:
            begun, calls = self.begun, completion_objects.calls_of(self._calls)
            try:
                self.made = message_objects.whole(begun.run_id, begun.model, outcome, entry, calls)
            except UnreadableCall:
                self.failure = _UNREADABLE
        return []
