"""Anthropic's message objects: the events of a stream as their bytes, and whole messages."""

from typing import Any

import msgspec

from flask_app.domain.events import Reasoning, ToolCall, Words
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway.message_faults import MessageFaultReply

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_REASONS = {"length": "max_tokens", "content_filter": "refusal"}
_THINKING, _TEXT = "thinking", "text"

_encode = msgspec.json.Encoder().encode


class UnreadableCall(Exception):
    """What the model wrote as the input of a tool is no JSON object."""


class MessageCounts(msgspec.Struct):
    """`input_tokens` are those that were not cached."""

    input_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int
    output_tokens_details: dict[str, int]


class MessageUsage(MessageCounts):
    """As the ledger has it: `input_tokens` are those that were not cached; `source` is "reported" or "estimated"."""

    source: str


class Message(msgspec.Struct):
    """A whole answer."""

    id: str
    type: str
    role: str
    model: str
    content: list[dict[str, Any]]
    stop_reason: str | None
    stop_sequence: str | None
    usage: MessageUsage


class MessageEvents:
    """Writes the events of one answer: its blocks one after the other, each of one kind.

    It is broken once the model has gone on with a call that was over, or has not named one: no block can tell that.
    """

    def __init__(self, run_id: str, model: str, prompt_tokens: int) -> None:
        self._is_broken = self._is_unreadable = False
        self._run_id, self._model, self._prompt_tokens = run_id, model, prompt_tokens
        self._has_begun = False
        self._index = -1
        self._open: str | int | None = None  # a kind, or which call
        self._head = b""
        self._calls: dict[int, list[str]] = {}  # what each is called with

    def serve(self, model: str) -> None:
        """It is this model that answers."""
        self._model = model

    def words(self, event: Words) -> bytes:
        begun = b"" if self._kind(event) == self._open else self._begin_block(event)
        if isinstance(event, ToolCall):
            said = event.arguments
            self._calls[event.index].append(said)
        else:
            said = event.text
        return begun + (self._head + _encode(said) + b"}}\n\n" if said else b"")

    def finish(self, reason: str | None, entry: Entry) -> bytes:
        """The last events. Raises UnreadableCall, but for what `max_tokens` has cut off."""
        last = self._begin() + self._end_block()
        if self._is_broken or (self._is_unreadable and reason != "length"):
            raise UnreadableCall
        delta = {"stop_reason": stop_reason(reason, calls=bool(self._calls)), "stop_sequence": None}
        return last + _event("message_delta", {"delta": delta, "usage": usage_of(entry)}) + _STOP

    def _kind(self, event: Words) -> str | int:
        if isinstance(event, ToolCall):
            return event.index
        return _THINKING if isinstance(event, Reasoning) else _TEXT

    def _begin(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        # Without a source: clients keep it for the end, as they know no such field there.
        counts = MessageCounts(self._prompt_tokens, 0, 0, 0, {"thinking_tokens": 0})
        begun = _message(self._run_id, self._model, [], None, counts)
        return _event("message_start", {"message": begun})

    def _begin_block(self, event: Words) -> bytes:
        before = self._begin() + self._end_block()
        self._open = self._kind(event)
        self._index += 1
        if isinstance(event, ToolCall):
            block, delta, field = self._call(event), "input_json_delta", "partial_json"
        elif isinstance(event, Reasoning):
            block, delta, field = {"type": _THINKING, "thinking": "", "signature": ""}, "thinking_delta", "thinking"
        else:
            block, delta, field = {"type": _TEXT, "text": ""}, "text_delta", "text"
        head = f'{{"type":"content_block_delta","index":{self._index},"delta":{{"type":"{delta}","{field}":'
        self._head = b"event: content_block_delta\ndata: " + head.encode()
        return before + _event("content_block_start", {"index": self._index, "content_block": block})

    def _call(self, event: ToolCall) -> dict[str, Any]:
        if event.index in self._calls or not event.name:
            self._is_broken = True
        self._calls.setdefault(event.index, [])
        return _call_block(event.id, event.name or "", {}, self._run_id, event.index)

    def _end_block(self) -> bytes:
        """The thoughts' signature says whose they are, and nothing more."""
        if self._open is None:
            return b""
        signed = b""
        if self._open == _THINKING:
            delta = {"type": "signature_delta", "signature": self._run_id}
            signed = _event("content_block_delta", {"index": self._index, "delta": delta})
        elif isinstance(self._open, int) and _input("".join(self._calls[self._open])) is None:
            self._is_unreadable = True
        self._open = None
        return signed + _event("content_block_stop", {"index": self._index})


def fault_event(reply: MessageFaultReply) -> bytes:
    """The last event of a stream that broke off."""
    return b"event: error\ndata: " + _encode(reply) + b"\n\n"


def whole(run_id: str, model: str, outcome: Outcome, entry: Entry, calls: list[dict[str, Any]]) -> Message:
    """`calls` are OpenAI's. Raises UnreadableCall, but leaves out what `max_tokens` has cut off."""
    content: list[dict[str, Any]] = []
    if outcome.reasoning:
        content.append({"type": _THINKING, "thinking": outcome.reasoning, "signature": run_id})
    if outcome.text:
        content.append({"type": _TEXT, "text": outcome.text})
    for place, call in enumerate(calls):
        given = _input(call["function"]["arguments"])
        if given is not None and call["function"]["name"]:
            content.append(_call_block(call["id"], call["function"]["name"], given, run_id, place))
        elif outcome.finish_reason != "length":
            raise UnreadableCall
    reason = stop_reason(outcome.finish_reason, calls=bool(calls))
    return Message(**_message(run_id, outcome.actual_model or model, content, reason, usage_of(entry)))


def stop_reason(reason: str | None, *, calls: bool) -> str:
    """Why it ends; which of the stop sequences it was, providers do not say."""
    return _REASONS.get(reason or "", "tool_use" if calls else "end_turn")


def usage_of(entry: Entry) -> MessageUsage:
    usage = entry.usage
    return MessageUsage(
        input_tokens=usage.prompt_tokens - usage.cached_tokens,
        cache_creation_input_tokens=0,
        cache_read_input_tokens=usage.cached_tokens,
        output_tokens=usage.completion_tokens,
        output_tokens_details={"thinking_tokens": usage.reasoning_tokens},
        source=entry.source,
    )


def _message(
    run_id: str, model: str, content: list[dict[str, Any]], reason: str | None, usage: MessageCounts
) -> dict[str, Any]:
    head = {"id": f"msg_{run_id}", "type": "message", "role": "assistant", "model": model}
    return head | {"content": content, "stop_reason": reason, "stop_sequence": None, "usage": usage}


def _call_block(call_id: str | None, name: str, given: dict[str, Any], run_id: str, place: int) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id or f"toolu_{run_id}_{place}", "name": name, "input": given}


def _input(written: str) -> dict[str, Any] | None:
    """What the model calls with, a call without a word with nothing; None where it cannot be read."""
    try:
        return msgspec.json.decode(written or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return None


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + _encode({"type": name, **fields}) + b"\n\n"
