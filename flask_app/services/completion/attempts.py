"""A request to a provider as the ledger knows it: what it is, what it may use, how it went, what was booked."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from flask_app.domain.budget import Allowance, Hold
from flask_app.domain.events import (
    Begun,
    Event,
    Failed,
    Finished,
    Logprobs,
    OfChoice,
    Reasoning,
    Served,
    Thought,
    Token,
    ToolCall,
    Usage,
    Vectors,
    Words,
    estimate_tokens,
)
from flask_app.errors import UpstreamError
from flask_app.services.tariffs.tariff_service import Priced

REFUSED = 300  # from this HTTP status on
MAX_REASON = 64  # as much as the column holds of the provider's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request for an answer, as the ledger needs to know it."""

    user_id: str
    channel: str
    model: str
    provider_id: str
    currency: str
    request_id: str
    address: str
    prompt_estimate: int
    run_id: str | None = None
    message_id: str | None = None
    token_id: str | None = None
    effort: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a call may use at most, in tokens: its prompt, which is as it is, and an answer, which may be shortened."""

    prompt: int
    answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """An attempt that is on its way to the provider: `attempt_id` is committed, and what it holds is reserved.

    `priced` is the price of the model that was asked for, where it was known then, `allowance` what a budget in tokens
    had left before.
    """

    attempt_id: str
    call: Call
    key_id: str | None
    at: datetime
    hold: Hold = field(default_factory=Hold)  # of before the budgets: nothing
    priced: Priced | None = None
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier runs had written of an answer that is gone on with.

    Thoughts without a text are not gone on with: they stand until something new has come, and give way to it. What
    earlier rounds of the same run said `is_told` in the prompt: all of it stays.
    """

    text: str
    reasoning: str
    thinking_ms: int | None = None
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """The words of an answer; `calls` are what the model wrote of calls of functions."""

    text: str
    reasoning: str
    calls: str


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How an attempt went. `usage` is the provider's count, or None when none came.

    `earlier` stands before its text, and is no part of what it is counted for. `call_parts` are what the model wrote of
    calls of functions; `kept_tokens` is about how many tokens had come where the words are gone or not kept, and
    `kept_thoughts` how many of them thoughts. `in_part`: it has no words and is told all at once, and some had come.
    `thinking_ms` is the time from its first thought, at `thinking_from_ms`, to the first of what else it says, so far;
    None where it says something else first. `unread`: nobody followed it here when it ended.
    """

    status: str = "complete"
    earlier: Earlier | None = None
    text_parts: list[str] = field(default_factory=list)
    reasoning_parts: list[str] = field(default_factory=list)
    call_parts: list[str] = field(default_factory=list)
    kept_tokens: int = 0
    kept_thoughts: int = 0
    in_part: bool = False
    usage: Usage | None = None
    actual_model: str | None = None
    finish_reason: str | None = None
    error_code: str | None = None
    asked: bool = True  # False: stopped before the provider's socket was opened
    status_code: int | None = None  # what the provider said, where it said anything
    bytes_received: int = 0
    first_token_ms: int | None = None
    thinking_from_ms: int | None = None
    thinking_ms: int | None = None
    duration_ms: int = 0
    unread: bool = False

    @property
    def counted(self) -> Usage | None:
        """The provider's count of the answer. Words are not of no tokens: such a `usage` counts the prompt alone."""
        return self.usage if self.usage and (self.usage.completion_tokens or not self.began) else None

    @property
    def text(self) -> str:
        return "".join(self.text_parts)

    @property
    def reasoning(self) -> str:
        return "".join(self.reasoning_parts)

    @property
    def said(self) -> Said:
        return Said(self.text, self.reasoning, "".join(self.call_parts))

    @property
    def whole_text(self) -> str:
        return (self.earlier.text if self.earlier else "") + self.text

    @property
    def whole_reasoning(self) -> str:
        return self.reasoning if self._takes_their_place else self.kept_reasoning

    @property
    def whole_thinking_ms(self) -> int | None:
        """How long the thoughts took that are kept; None where there are none, or it is not known of all."""
        earlier = None if self._takes_their_place else self.earlier
        thought = [earlier.thinking_ms] if earlier and earlier.reasoning else []
        times = [*thought, self.thinking_ms] if self.reasoning_parts else thought
        known = [time for time in times if time is not None]
        return sum(known) if known and len(known) == len(times) else None

    @property
    def _takes_their_place(self) -> bool:
        """Have earlier thoughts without a text given way to it?"""
        earlier = self.earlier
        return earlier is not None and not earlier.is_told and not earlier.text and self.began

    @property
    def kept_reasoning(self) -> str:
        """What is kept of them meanwhile: after all there was, so that `runs.reasoning_before` tells them apart."""
        return (self.earlier.reasoning if self.earlier else "") + self.reasoning

    def time_thoughts(self, event: Event | None, now_ms: int) -> Thought | None:
        """To be told of each event before it is heard, and of the end by None: gives that the thinking is over."""
        if self.text_parts or self.call_parts or not isinstance(event, Words | None):
            return None
        if self.thinking_from_ms is not None:
            self.thinking_ms = now_ms - self.thinking_from_ms
        elif isinstance(event, Reasoning):
            self.thinking_from_ms, self.thinking_ms = now_ms, 0
        is_over = self.thinking_from_ms is not None and not isinstance(event, Reasoning)
        return Thought(self.whole_thinking_ms) if is_over else None

    def hear(self, event: Event) -> None:
        """Take in what the provider says; raises UpstreamError where it says that it failed."""
        if isinstance(event, Token):
            self.text_parts.append(event.text)
            self.usage = None  # it counted only what came before
        elif isinstance(event, Reasoning):
            self.reasoning_parts.append(event.text)
            self.usage = None
        elif isinstance(event, ToolCall):
            self.call_parts.append(event.text)
            self.usage = None
        elif isinstance(event, OfChoice):  # what all of them used is one count
            self.hear(event.event)
        elif isinstance(event, Begun):
            self.in_part = True
        elif not isinstance(event, Logprobs | Thought | Vectors):
            self._note(event)

    def _note(self, event: Usage | Finished | Served | Failed) -> None:
        match event:
            case Usage():
                self.usage = event.later_than(self.usage)
            case Finished(reason):
                self.finish_reason = reason[:MAX_REASON]
            case Served(model):
                self.actual_model = model
            case Failed(code):  # pragma: no branch - there is no other
                raise UpstreamError(code, retryable=True)

    @property
    def answer_status(self) -> str:
        """How the answer stands then: one that was gone on with has not failed, and can be gone on with again."""
        return "interrupted" if self.status == "failed" and self.earlier else self.status

    @property
    def taken_up(self) -> bool:
        """Did the provider begin to work, so that it may bill? One that only reported a failure did not."""
        refused = self.status_code is not None and self.status_code >= REFUSED
        return self.asked and (self.heard or (self.status != "failed" and not refused))

    @property
    def heard(self) -> bool:
        """Has anything of an answer come?"""
        return self.usage is not None or self.actual_model is not None or self.began

    @property
    def is_wordless(self) -> bool:
        """Has nothing come but that somebody began, which providers say before the first word?"""
        return self.usage is None and self.finish_reason is None and not self.began

    @property
    def began(self) -> bool:
        words = self.text_parts or self.reasoning_parts or self.call_parts
        return bool(words or self.kept_tokens or self.in_part)

    @property
    def estimate(self) -> int:
        """About how many tokens have come, thoughts included."""
        written = (self.text, self.reasoning, "".join(self.call_parts))
        return sum(map(estimate_tokens, written)) + self.kept_tokens

    @property
    def thoughts(self) -> int:
        """About how many of those are thoughts."""
        return estimate_tokens(self.reasoning) + self.kept_thoughts

    def wordless(self) -> "Outcome":
        """The same without a word: what is booked for it is the same too."""
        tokens, thoughts = self.estimate, self.thoughts
        parts: list[str] = []
        return replace(
            self,
            text_parts=parts,
            reasoning_parts=parts,
            call_parts=parts,
            kept_tokens=tokens,
            kept_thoughts=thoughts,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """What went into the ledger. `is_new`: by this very settlement, once it is committed.

    `longest` is what the longest of several runs has taken of the model's context, where there were some.
    """

    usage: Usage
    source: str
    is_new: bool = field(default=False, compare=False)
    longest: int | None = field(default=None, compare=False)

    @property
    def context_tokens(self) -> int:
        """What the conversation takes of the model's context with this answer."""
        return self.usage.kept_tokens if self.longest is None else self.longest


UNASKED = Outcome(asked=False)  # of an attempt that no provider was asked for
