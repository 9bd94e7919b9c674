"""A run's answer to a program that speaks OpenAI's Responses API: as events while it comes, or whole once it has."""

from flask_app.domain.events import Event, Served, Words
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway import gateway_errors
from flask_app.services.gateway.program_answers import ProgramRun, Streamed, Whole
from flask_app.services.gateway.response_objects import NamelessCall, ResponseEvents, ResponseObject, Terms

_UNREADABLE = "upstream_garbage"


class StreamedResponse(Streamed):
    """Each piece of the answer becomes an event."""

    def __init__(self, begun: ProgramRun, terms: Terms) -> None:
        super().__init__(begun)
        self._written = ResponseEvents(begun.run_id, begun.model, terms)

    def tell(self, event: Event) -> None:
        if isinstance(event, Words):
            self.has_begun = True
            self.events.add(self._written.words(event))
        elif isinstance(event, Served):
            self._written.serve(event.model)

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        try:
            if not self.failure:
                return [self._written.finish(outcome.finish_reason, entry)[1]]
        except NamelessCall:
            self.failure = _UNREADABLE
        return [self._written.fail(self._fault(self.failure))]

    def _fault(self, code: str) -> gateway_errors.Fault:
        return gateway_errors.broken_off(code, self.begun.locale, self.begun.request_id)


class WholeResponse(Whole[ResponseObject]):
    """A response: what its events would tell, put together."""

    def __init__(self, begun: ProgramRun, terms: Terms) -> None:
        super().__init__(begun)
        self._written = ResponseEvents(begun.run_id, begun.model, terms)

    def tell(self, event: Event) -> None:
        if isinstance(event, Words):
            self._written.words(event)
        elif isinstance(event, Served):
            self._written.serve(event.model)

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if not self.failure:
            try:
                self.made, _ = self._written.finish(outcome.finish_reason, entry)
            except NamelessCall:
                self.failure = _UNREADABLE
        return []
