"""OpenAI's response objects: the events of a stream as their bytes, and whole responses."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from flask_app.domain.events import Reasoning, ToolCall, Words
from flask_app.services.completion.attempts import Entry
from flask_app.services.gateway.gateway_errors import Fault
from flask_app.services.gateway.response_output import (
    COMPLETED,
    IN_PROGRESS,
    INCOMPLETE,
    Call,
    OutputItem,
    Said,
    Thoughts,
)

_FAILED = "failed"
_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}

_encode = msgspec.json.Encoder().encode


class NamelessCall(Exception):
    """The model calls a function without saying which."""


class ResponseUsage(msgspec.Struct):
    """As the ledger has it; `source` is "reported" or "estimated"."""

    input_tokens: int
    input_tokens_details: dict[str, int]
    output_tokens: int
    output_tokens_details: dict[str, int]
    total_tokens: int
    source: str


class ResponseFault(msgspec.Struct):
    code: str
    message: str


class ResponseObject(msgspec.Struct, kw_only=True):
    """A response: whole, or as far as it is. What the request said comes back from `instructions` on."""

    id: str
    object: str = "response"
    created_at: int
    completed_at: int | None = None
    status: str
    error: ResponseFault | None = None
    incomplete_details: dict[str, str] | None = None
    model: str
    output: list[dict[str, Any]]
    usage: ResponseUsage | None = None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, str]
    parallel_tool_calls: bool
    prompt_cache_key: str | None
    reasoning: dict[str, Any]
    temperature: float | None
    text: dict[str, Any]
    tool_choice: Any
    tools: list[Any]
    top_p: float | None
    user: str | None
    background: bool = False
    previous_response_id: str | None = None
    service_tier: str = "default"
    store: bool = False
    truncation: str = "disabled"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the request said: `told` are the fields that come back.

    `names` are namespace and name of the functions that the provider has got by another name.
    """

    told: Mapping[str, Any]
    names: Mapping[str, tuple[str, str]]


class ResponseEvents:
    """Writes the events of one response, item by item. Calls may take turns: they end with the response."""

    def __init__(self, run_id: str, model: str, terms: Terms) -> None:
        self._run_id, self._model, self._terms = run_id, model, terms
        self._created_at = int(time.time())
        self._number = 0
        self._output: list[OutputItem] = []
        self._talk: OutputItem | None = None  # the thoughts or the text that are being written
        self._calls: dict[int, Call] = {}
        self._is_nameless = False

    def serve(self, model: str) -> None:
        """It is this model that answers."""
        self._model = model

    def words(self, event: Words) -> bytes:
        before = self._begin()
        begun, item = self._call(event) if isinstance(event, ToolCall) else self._spoken(event)
        said = event.arguments if isinstance(event, ToolCall) else event.text
        if item is None or not said:
            return before + begun
        item.add(said)
        return before + begun + self._event(f"{item.event}.delta", item.where | {"delta": said} | item.beside)

    def finish(self, reason: str | None, entry: Entry) -> tuple[ResponseObject, bytes]:
        """The whole response, and the last events. Raises NamelessCall."""
        last = self._begin()
        if self._is_nameless:
            raise NamelessCall
        why = _REASONS.get(reason or "")
        status = INCOMPLETE if why else COMPLETED
        for item in (*([self._talk] if self._talk else []), *self._calls.values()):
            last += self._end(item, self._as_of(item, status))
        made = self._response(
            status,
            output=self._told(status),
            incomplete_details={"reason": why} if why else None,
            usage=usage_of(entry),
            completed_at=None if why else int(time.time()),
        )
        return made, last + self._event(f"response.{status}", {"response": made})

    def fail(self, fault: Fault) -> bytes:
        """The last events of a response that broke off: clients look for the one or the other."""
        begun = self._begin()
        error = ResponseFault(fault.code, fault.message)
        broken = self._response(_FAILED, output=self._told(INCOMPLETE), error=error)
        told = {"code": fault.code, "message": fault.message, "param": fault.param, "error": fault}
        return begun + self._event("response.failed", {"response": broken}) + self._event("error", told)

    def _begin(self) -> bytes:
        if self._number:
            return b""
        begun = self._response(IN_PROGRESS, output=[])
        return b"".join(self._event(f"response.{name}", {"response": begun}) for name in ("created", IN_PROGRESS))

    def _spoken(self, event: Words) -> tuple[bytes, OutputItem | None]:
        kind = Thoughts if isinstance(event, Reasoning) else Said
        if isinstance(self._talk, kind):
            return b"", self._talk
        ended = self._end_talk()
        self._talk = item = kind(self._run_id, len(self._output))
        part = {"part": item.part("")}
        return ended + self._add(item) + self._event("response.content_part.added", item.where | part), item

    def _call(self, event: ToolCall) -> tuple[bytes, OutputItem | None]:
        if event.index in self._calls:
            return b"", self._calls[event.index]
        if not event.name:
            self._is_nameless = True
            return b"", None
        ended = self._end_talk()
        namespace, name = self._terms.names.get(event.name, (None, event.name))
        call_id = event.id or f"call_{self._run_id}_{event.index}"
        call = Call(self._run_id, len(self._output), call_id=call_id, name=name, namespace=namespace)
        self._calls[event.index] = call
        return ended + self._add(call), call

    def _add(self, item: OutputItem) -> bytes:
        self._output.append(item)
        told = {"output_index": item.place, "item": item.told(IN_PROGRESS)}
        return self._event("response.output_item.added", told)

    def _end_talk(self) -> bytes:
        item, self._talk = self._talk, None
        return b"" if item is None else self._end(item, COMPLETED)

    def _end(self, item: OutputItem, status: str) -> bytes:
        ended = self._event(f"{item.event}.done", item.where | {item.words: item.text} | item.beside)
        if part := item.part(item.text):
            ended += self._event("response.content_part.done", item.where | {"part": part})
        told = {"output_index": item.place, "item": item.told(status)}
        return ended + self._event("response.output_item.done", told)

    def _told(self, status: str) -> list[dict[str, Any]]:
        return [item.told(self._as_of(item, status)) for item in self._output]

    def _as_of(self, item: OutputItem, status: str) -> str:
        """The item's own status in a response of this one: all are complete but the last."""
        return status if item is self._output[-1] else COMPLETED

    def _response(self, status: str, **fields: Any) -> ResponseObject:
        return ResponseObject(
            id=f"resp_{self._run_id}",
            created_at=self._created_at,
            model=self._model,
            status=status,
            **fields,
            **self._terms.told,
        )

    def _event(self, name: str, fields: Mapping[str, Any]) -> bytes:
        told = _encode({"type": name, "sequence_number": self._number, **fields})
        self._number += 1
        return b"event: " + name.encode() + b"\ndata: " + told + b"\n\n"


def usage_of(entry: Entry) -> ResponseUsage:
    usage = entry.usage
    return ResponseUsage(
        input_tokens=usage.prompt_tokens,
        input_tokens_details={"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        output_tokens=usage.completion_tokens,
        output_tokens_details={"reasoning_tokens": usage.reasoning_tokens},
        total_tokens=usage.total_tokens,
        source=entry.source,
    )
