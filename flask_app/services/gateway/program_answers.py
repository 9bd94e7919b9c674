"""A run's answer to a program: as chunks while it comes, or whole once it has. Nothing of it is stored."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from sqlalchemy.engine import Connection

from flask_app.domain.budget import Allowance
from flask_app.domain.events import Event, Logprobs, Reasoning, Served, Token, ToolCall, Usage
from flask_app.domain.refused import Refused
from flask_app.services.completion.attempts import Entry, Outcome, Said
from flask_app.services.gateway import completion_objects, gateway_errors
from flask_app.services.gateway.completion_objects import Chunks, Completion, Spoken
from flask_app.services.gateway.request_log import Ended
from flask_app.services.runs import answer_service, run_service
from flask_app.statements import Act
from flask_app.streams.keeper import HEARTBEAT, Keeper
from flask_app.streams.passing import PassingLog

Made = TypeVar("Made")

# Programs follow the answers of this process alone, and cannot resume them: no other need hear of them.
_logs = Keeper(PassingLog)
TOLD = (Token, Reasoning, ToolCall, Logprobs)  # in chunks of their own
_NOTHING = Entry(Usage(0, 0, 0, 0), "reported")
_FAILURES = {"stopped": "token_required", "interrupted": "restarting", "left": "interrupted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRun:
    """A run that answers a program. `model` is the asked one's name, `locale` the language its errors are told in.

    `prompt_tokens` is about how many tokens it was asked with, `allowance` what a budget in tokens had left before.
    `keeps_words`: what it says is told at its end, to be kept.
    """

    run_id: str
    model: str
    locale: str
    request_id: str = ""
    prompt_tokens: int = 0
    allowance: Allowance | None = None
    keeps_words: bool = False
    conversation_id: None = None
    message_id: None = None


class ProgramAnswer(ABC):
    """What both ways share. Who waits for the answer reads `events`, and looks at `failure` once it has ended.

    One that `goes_on` is made to its end, whether its program stays or not.
    """

    is_awaited = True
    goes_on = False
    unread_since = None  # whoever reads it says so when they leave

    def __init__(self, begun: ProgramRun) -> None:
        self.begun = begun
        self.events = _logs.open(begun.run_id)
        self.failure: str | None = None  # a code
        self.retry_after: int | None = None  # seconds, where its provider said when to come back
        self.used_tokens = begun.prompt_tokens  # by estimate, until it has been counted
        self._has_ended = False
        self._ending = threading.Lock()
        self.ended: Ended | None = None
        self._to_tell: list[Callable[[Ended], None]] = []

    def tell_all(self, events: list[Event]) -> None:
        """Take events that came together; it must not wait. What their reader gets of them travels together too."""
        if len(events) == 1:  # nearly always
            self.tell(events[0])
            return
        with self.events.together():
            for event in events:
                self.tell(event)

    @abstractmethod
    def tell(self, event: Event) -> None:
        """Take an event of the answer."""

    def keep(self, connection: Connection, outcome: Outcome, *, hopes: bool) -> Sequence[Act]:  # noqa: ARG002 - none is kept
        return [answer_service.forgetting(self.begun.run_id)]

    def sum_up(self, connection: Connection) -> None:  # noqa: B027 - whichever way it is told
        """Nothing came earlier."""

    def wait(self, outcome: Outcome, counted: Entry, *, is_on_disk: bool) -> None:
        """What waits on disk will be booked: its program need not wait for the database."""
        if is_on_disk:
            self._end(outcome, counted)

    def end(self, outcome: Outcome, entry: Entry | None, *, discarded: bool) -> None:  # noqa: ARG002 - nothing is kept
        self._end(outcome, entry or _NOTHING)

    def when_ended(self, tell: Callable[[Ended], None]) -> None:
        """Have `tell` called once it has ended, or now."""
        with self._ending:
            if self.ended is None:
                self._to_tell.append(tell)
                return
        tell(self.ended)

    def _end(self, outcome: Outcome, entry: Entry) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self.used_tokens = entry.usage.total_tokens
        if outcome.status != "complete":
            self.failure = outcome.error_code or _FAILURES.get(outcome.status, "internal")
        last = self._last(outcome, entry)
        ended = self._ending_of(outcome)
        with self._ending:
            self.ended = ended
        self.events.close(last)
        _logs.forget([self.begun.run_id])
        with ExitStack() as told:  # each of them, whatever becomes of another
            for tell in reversed(self._to_tell):
                told.callback(tell, ended)

    def _ending_of(self, outcome: Outcome) -> Ended:
        live = run_service.live_run(self.begun.run_id)
        code = gateway_errors.refusal(gateway_errors.failure(self.failure)).code if self.failure else None
        said = self._said(outcome) if self.begun.keeps_words else None
        if live is None:
            return Ended(outcome.status, code, outcome.actual_model, 0, None, None, said)
        asked = live.completion
        self.retry_after = asked.retry_after if self.failure else None
        last, first_token_at = asked.sent.attempt_id, asked.first_token_at
        return Ended(outcome.status, code, outcome.actual_model, asked.attempts, last, first_token_at, said)

    def _said(self, outcome: Outcome) -> Said:
        return outcome.said

    @abstractmethod
    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        """What is told at the end."""


class Streamed(ProgramAnswer):
    """Told while it comes. `has_begun` once there are words: what fails then fails in mid-stream.

    A `heartbeat` breaks its silences.
    """

    heartbeat = HEARTBEAT

    def __init__(self, begun: ProgramRun) -> None:
        super().__init__(begun)
        self.has_begun = False


class Whole(ProgramAnswer, Generic[Made]):
    """Told once it has ended well: `made` is there then, for its program and for whoever is to keep it."""

    def __init__(self, begun: ProgramRun) -> None:
        super().__init__(begun)
        self.made: Made | None = None
        self._keep_made: Callable[[bytes | None], None] | None = None

    def keep_with(self, keep_made: Callable[[bytes | None], None]) -> None:
        """Have it made to its end, and kept as JSON once it is booked; None where it failed."""
        self.goes_on, self._keep_made = True, keep_made

    def end(self, outcome: Outcome, entry: Entry | None, *, discarded: bool) -> None:
        super().end(outcome, entry, discarded=discarded)
        if self._keep_made:
            self._keep_made(self._kept())

    def _kept(self) -> bytes | None:
        """What is kept of it; None for nothing."""
        return None if self.made is None else msgspec.json.encode(self.made)


class StreamedAnswer(Streamed):
    """Each event becomes a chunk."""

    def __init__(self, begun: ProgramRun, *, tells_usage: bool) -> None:
        super().__init__(begun)
        self._tells_usage = tells_usage
        self._chunks = Chunks(begun.run_id, begun.model, tells_usage=tells_usage)

    def tell(self, event: Event) -> None:
        if isinstance(event, TOLD):
            self.has_begun = True
            self.events.add(self._chunks.words(event))
        elif isinstance(event, Served):
            self._chunks.serve(event.model)

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if self.failure:
            begun = self.begun
            fault = gateway_errors.broken_off(self.failure, begun.locale, begun.request_id)
            return [completion_objects.fault_event(fault)]
        last = [self._chunks.finish(outcome.finish_reason)]
        return [*last, *([self._chunks.usage(entry)] if self._tells_usage else []), completion_objects.DONE]


class WholeAnswer(Whole[Completion]):
    """A completion."""

    def __init__(self, begun: ProgramRun) -> None:
        super().__init__(begun)
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[ToolCall] = []
        self._logprobs: list[msgspec.Raw] = []

    def tell(self, event: Event) -> None:
        if isinstance(event, Token):
            (self._refusal if isinstance(event, Refused) else self._text).append(event.text)
        elif isinstance(event, ToolCall):
            self._calls.append(event)
        elif isinstance(event, Logprobs):
            self._logprobs += event.items

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if not self.failure:
            begun, text, refusal = self.begun, "".join(self._text), "".join(self._refusal)
            spoken = Spoken(text, refusal, outcome.reasoning, self._calls, self._logprobs, outcome.finish_reason)
            self.made = completion_objects.whole(begun.run_id, begun.model, outcome, entry, [(0, spoken)])
        return []
