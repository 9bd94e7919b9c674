"""Several answers at once to a program (`n`): one attempt and one count, as chunks by their numbers, or whole."""

from flask_app.domain.events import Event, Finished, Logprobs, OfChoice, Reasoning, Served, Token, ToolCall
from flask_app.domain.refused import Refused
from flask_app.services.completion.attempts import Entry, Outcome, Said
from flask_app.services.gateway import completion_objects, gateway_errors
from flask_app.services.gateway.completion_objects import Chunks, Completion, Spoken
from flask_app.services.gateway.program_answers import TOLD, ProgramAnswer, ProgramRun, Streamed, Whole


class _Choices:
    """What has come of each, by its number; a number that was not asked for is left out."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._cut_as: str | None = None  # how all of them ended that had not ended before
        self.spoken: dict[int, Spoken] = {}

    def cut(self, event: Finished) -> None:
        """They have become too long, all together."""
        self._cut_as = event.reason

    def hear(self, event: OfChoice) -> bool:
        """Was it asked for?"""
        if event.index >= self._count:
            return False
        spoken, piece = self.spoken.setdefault(event.index, Spoken()), event.event
        match piece:
            case Refused(text):
                spoken.refusal += text
            case Token(text):
                spoken.text += text
            case Reasoning(text):
                spoken.reasoning += text
            case ToolCall():
                spoken.calls.append(piece)
            case Logprobs(items):
                spoken.logprobs += items
            case Finished(reason):  # pragma: no branch - there is no other
                spoken.finish_reason = reason
        return True

    @property
    def ended(self) -> list[tuple[int, Spoken]]:
        """Each with its end."""
        for each in self.spoken.values():
            each.finish_reason = each.finish_reason or self._cut_as
        return self.in_order

    @property
    def in_order(self) -> list[tuple[int, Spoken]]:
        return sorted(self.spoken.items(), key=lambda each: each[0])

    def said(self) -> Said:
        """One after the other: as they came they are mixed."""
        parts = [
            (each.text + each.refusal, each.reasoning, "".join(call.text for call in each.calls))
            for _, each in self.in_order
        ]
        texts, thoughts, calls = zip(*parts, strict=True) if parts else ((), (), ())
        return Said(*("\n\n".join(filter(None, each)) for each in (texts, thoughts, calls)))


class _Several(ProgramAnswer):
    def __init__(self, begun: ProgramRun, count: int) -> None:
        super().__init__(begun)
        self._choices = _Choices(count)

    def _said(self, outcome: Outcome) -> Said:  # noqa: ARG002 - it has them mixed
        return self._choices.said()


class StreamedChoices(_Several, Streamed):
    """Each piece becomes a chunk with its choice's number."""

    def __init__(self, begun: ProgramRun, count: int, *, tells_usage: bool) -> None:
        super().__init__(begun, count)
        self._tells_usage = tells_usage
        self._chunks = [Chunks(begun.run_id, begun.model, tells_usage=tells_usage, index=each) for each in range(count)]

    def tell(self, event: Event) -> None:
        if isinstance(event, OfChoice):
            is_wanted, piece = self._choices.hear(event), event.event
            if is_wanted and isinstance(piece, TOLD):
                self.has_begun = True
                self.events.add(self._chunks[event.index].words(piece))
        elif isinstance(event, Served):
            for chunks in self._chunks:
                chunks.serve(event.model)
        elif isinstance(event, Finished):
            self._choices.cut(event)

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:  # noqa: ARG002 - each has an end of its own
        if self.failure:
            begun = self.begun
            fault = gateway_errors.broken_off(self.failure, begun.locale, begun.request_id)
            return [completion_objects.fault_event(fault)]
        ends = [self._chunks[index].finish(each.finish_reason) for index, each in self._choices.ended]
        counted = [self._chunks[0].usage(entry)] if self._tells_usage else []
        return [*ends, *counted, completion_objects.DONE]


class WholeChoices(_Several, Whole[Completion]):
    """A completion of several."""

    def tell(self, event: Event) -> None:
        if isinstance(event, OfChoice):
            self._choices.hear(event)
        elif isinstance(event, Finished):
            self._choices.cut(event)

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if not self.failure:
            begun, spoken = self.begun, self._choices.ended
            self.made = completion_objects.whole(begun.run_id, begun.model, outcome, entry, spoken)
        return []
