"""A run's answer to a program that has a text gone on with: as chunks while it comes, or whole once it has."""

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from flask_app.domain.events import Event, Logprobs, Served, Token
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway import completion_objects, gateway_errors
from flask_app.services.gateway.completion_objects import CompletionUsage, usage_of
from flask_app.services.gateway.program_answers import ProgramRun, Streamed, Whole

_encode = msgspec.json.Encoder().encode
_read_table = msgspec.json.Decoder(dict[str, list[Any] | None]).decode


class TextChoice(msgspec.Struct):
    """`logprobs` is a table of lists, one item a token, as the provider wrote it."""

    text: str
    index: int
    logprobs: dict[str, Any] | None
    finish_reason: str | None


class TextCompletion(msgspec.Struct):
    """A whole text."""

    id: str
    object: str
    created: int
    model: str
    choices: list[TextChoice]
    usage: CompletionUsage


class StreamedText(Streamed):
    """Each piece becomes a chunk."""

    def __init__(self, begun: ProgramRun, *, tells_usage: bool) -> None:
        super().__init__(begun)
        self._tells_usage = tells_usage
        self._named = {"id": _name_of(begun.run_id), "object": "text_completion", "created": int(time.time())}
        self._model = begun.model

    def tell(self, event: Event) -> None:
        if isinstance(event, Token):
            self._add(event.text)
        elif isinstance(event, Logprobs):
            for table in event.items:
                self._add("", logprobs=table)
        elif isinstance(event, Served):
            self._model = event.model

    def _add(self, text: str, *, logprobs: msgspec.Raw | None = None) -> None:
        self.has_begun = True
        self.events.add(self._chunk([{"text": text, "index": 0, "logprobs": logprobs, "finish_reason": None}]))

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if self.failure:
            begun = self.begun
            fault = gateway_errors.broken_off(self.failure, begun.locale, begun.request_id)
            return [completion_objects.fault_event(fault)]
        end = {"text": "", "index": 0, "logprobs": None, "finish_reason": outcome.finish_reason}
        counted = [self._chunk([], usage_of(entry))] if self._tells_usage else []
        return [self._chunk([end]), *counted, completion_objects.DONE]

    def _chunk(self, choices: list[dict[str, Any]], usage: CompletionUsage | None = None) -> bytes:
        told = {**self._named, "model": self._model, "choices": choices}
        if self._tells_usage:
            told["usage"] = usage
        return b"data: " + _encode(told) + b"\n\n"


class WholeText(Whole[TextCompletion]):
    """A text."""

    def __init__(self, begun: ProgramRun) -> None:
        super().__init__(begun)
        self._tables: list[msgspec.Raw] = []

    def tell(self, event: Event) -> None:
        if isinstance(event, Logprobs):
            self._tables += event.items

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if not self.failure:
            self.made = TextCompletion(
                id=_name_of(self.begun.run_id),
                object="text_completion",
                created=int(time.time()),
                model=outcome.actual_model or self.begun.model,
                choices=[TextChoice(outcome.text, 0, _joined(self._tables), outcome.finish_reason)],
                usage=usage_of(entry),
            )
        return []


def _joined(tables: Iterable[msgspec.Raw]) -> dict[str, Any] | None:
    """One table of them all; what is no table of lists is left out, as whatever else nobody has asked for."""
    joined: dict[str, list[Any]] = {}
    for each in tables:
        try:
            read = _read_table(each)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        for name, items in read.items():
            joined.setdefault(name, []).extend(items or ())
    return joined or None


def _name_of(run_id: str) -> str:
    return f"cmpl-{run_id}"
