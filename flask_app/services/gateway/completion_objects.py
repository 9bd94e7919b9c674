"""OpenAI's chat completion objects: chunks as the bytes of an event stream, and whole ones."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flask_app.domain.events import Logprobs, Reasoning, Token, ToolCall, Usage, Words
from flask_app.domain.refused import Refused
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway.gateway_errors import StreamFault

DONE = b"data: [DONE]\n\n"

_encode = msgspec.json.Encoder().encode


class CompletionUsage(msgspec.Struct):
    """As the ledger has it, in OpenAI's fields and DeepSeek's; `source` is "reported" or "estimated"."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]
    completion_tokens_details: dict[str, int]
    prompt_cache_hit_tokens: int
    prompt_cache_miss_tokens: int
    source: str


class CompletionMessage(msgspec.Struct, omit_defaults=True):
    role: str
    content: str | None
    refusal: str | msgspec.UnsetType = msgspec.UNSET
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET
    tool_calls: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET


class CompletionChoice(msgspec.Struct):
    index: int
    message: CompletionMessage
    logprobs: dict[str, Any] | None
    finish_reason: str | None


class Completion(msgspec.Struct):
    """A whole answer."""

    id: str
    object: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: CompletionUsage


class Chunks:
    """Writes the chunks of one answer. `model` is the asked one's name until the provider has told its own."""

    def __init__(self, run_id: str, model: str, *, tells_usage: bool, index: int = 0) -> None:
        self._index = b',"choices":[{"index":%d,"delta":' % index
        self._id, self._created = name_of(run_id), int(time.time())
        self._usage = b',"usage":null' if tells_usage else b""
        self._is_first = True
        self.serve(model)

    def serve(self, model: str) -> None:
        """From now on the chunks name this model."""
        named = {"id": self._id, "object": "chat.completion.chunk", "created": self._created, "model": model}
        self._head = b"data: " + _encode(named)[:-1]
        self._before_text = self._head + self._index + b'{"content":'
        self._after_text = b'},"logprobs":null,"finish_reason":null}]' + self._usage + b"}\n\n"

    def words(self, event: Words | Logprobs) -> bytes:
        if type(event) is Token and not self._is_first:  # nearly all are
            return self._before_text + _encode(event.text) + self._after_text
        if isinstance(event, Logprobs):
            return self._choice(self._delta({}), logprobs=_encode({"content": event.items, "refusal": None}))
        if isinstance(event, ToolCall):
            return self._choice(self._delta({"tool_calls": [_call_piece(event)]}))
        return self._choice(self._delta({_field_of(event): event.text}))

    def finish(self, reason: str | None) -> bytes:
        return self._choice(self._delta({}), reason=_encode(reason))

    def usage(self, entry: Entry) -> bytes:
        """The chunk without choices that a client may ask for."""
        return self._head + b',"choices":[],"usage":' + _encode(usage_of(entry)) + b"}\n\n"

    def _delta(self, delta: dict[str, Any]) -> bytes:
        if self._is_first:
            self._is_first = False
            delta = {"role": "assistant", **delta}
        return _encode(delta)

    def _choice(self, delta: bytes, *, logprobs: bytes = b"null", reason: bytes = b"null") -> bytes:
        choice = (self._index, delta, b',"logprobs":', logprobs, b',"finish_reason":', reason)
        return b"".join((self._head, *choice, b"}]", self._usage, b"}\n\n"))


def fault_event(fault: StreamFault) -> bytes:
    """The last event of a stream that broke off."""
    return b"data: " + _encode({"error": fault}) + b"\n\n"


@dataclass(slots=True)
class Spoken:
    """One answer, as far as it has come."""

    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    logprobs: list[msgspec.Raw] = field(default_factory=list)
    finish_reason: str | None = None


def whole(run_id: str, model: str, outcome: Outcome, entry: Entry, spoken: Iterable[tuple[int, Spoken]]) -> Completion:
    """The completion of one answer, or of several by their numbers."""
    return Completion(
        id=name_of(run_id),
        object="chat.completion",
        created=int(time.time()),
        model=outcome.actual_model or model,
        choices=[_choice_of(index, each) for index, each in spoken],
        usage=usage_of(entry),
    )


def _choice_of(index: int, spoken: Spoken) -> CompletionChoice:
    calls = calls_of(spoken.calls)
    message = CompletionMessage(role="assistant", content=spoken.text or (None if calls or spoken.refusal else ""))
    if spoken.refusal:
        message.refusal = spoken.refusal
    if spoken.reasoning:
        message.reasoning_content = spoken.reasoning
    if calls:
        message.tool_calls = calls
    likely = {"content": spoken.logprobs, "refusal": None} if spoken.logprobs else None
    return CompletionChoice(index=index, message=message, logprobs=likely, finish_reason=spoken.finish_reason)


def calls_of(pieces: Iterable[ToolCall]) -> list[dict[str, Any]]:
    """The pieces of all calls, put together."""
    found: dict[int, dict[str, Any]] = {}
    for piece in pieces:
        call = found.setdefault(piece.index, {"id": "", "name": "", "arguments": []})
        call["id"], call["name"] = piece.id or call["id"], piece.name or call["name"]
        call["arguments"].append(piece.arguments)
    return [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
        }
        for _, call in sorted(found.items())
    ]


def name_of(run_id: str) -> str:
    """What the completion is called."""
    return f"chatcmpl-{run_id}"


def usage_of(entry: Entry) -> CompletionUsage:
    usage: Usage = entry.usage
    return CompletionUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details={"cached_tokens": usage.cached_tokens},
        completion_tokens_details={"reasoning_tokens": usage.reasoning_tokens},
        prompt_cache_hit_tokens=usage.cached_tokens,
        prompt_cache_miss_tokens=usage.prompt_tokens - usage.cached_tokens,
        source=entry.source,
    )


def _field_of(event: Words) -> str:
    if isinstance(event, Reasoning):
        return "reasoning_content"
    return "refusal" if isinstance(event, Refused) else "content"


def _call_piece(event: ToolCall) -> dict[str, Any]:
    function = {"name": event.name} if event.name is not None else {}
    begun = {"id": event.id, "type": "function"} if event.id is not None else {}
    return {"index": event.index, **begun, "function": {**function, "arguments": event.arguments}}
