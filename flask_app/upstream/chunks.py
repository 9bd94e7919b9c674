"""Payloads of a chat completion stream → events; several pieces that arrived together become one."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec

from flask_app.domain.events import Event, Failed, Finished, Logprobs, Reasoning, Served, Token, Usage
from flask_app.domain.refused import Refused
from flask_app.upstream.tool_calls import NULL, Calls, UnreadableCalls

MAX_TOKENS = 1 << 31
MOST_CHOICES = 64  # more than anybody may ask for
MAX_NAME = 128  # as many characters as a model's name may have here
Count = Annotated[int, msgspec.Meta(ge=0, lt=MAX_TOKENS)]


class Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: msgspec.Raw = NULL  # as others than DeepSeek call the thoughts; where it is no text it is something else
    refusal: msgspec.Raw = NULL
    tool_calls: msgspec.Raw = NULL

    @property
    def thoughts(self) -> str:
        return self.reasoning_content or ("" if self.reasoning == NULL else _text_of(bytes(self.reasoning)))

    @property
    def refused(self) -> list[Event]:
        text = "" if self.refusal == NULL else _text_of(bytes(self.refusal))
        return [Refused(text)] if text else []

    @property
    def has_words(self) -> bool:
        return bool(self.content or self.thoughts or self.refused or self.tool_calls != NULL)


class Choice(msgspec.Struct):
    delta: Delta | None = None
    logprobs: msgspec.Raw = NULL
    finish_reason: str | None = None
    index: Any = 0  # whatever it is: choices are told apart by it


class Chunk(msgspec.Struct):
    choices: list[Choice] | None = None
    model: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


class _PromptDetails(msgspec.Struct):
    cached_tokens: Count | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: Count | None = None


class _Totals(msgspec.Struct):
    prompt_tokens: Count
    completion_tokens: Count


class _Usage(_Totals):
    prompt_cache_hit_tokens: Count | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    total_tokens: msgspec.Raw = NULL  # whatever it is, the rest counts


class _Logprobs(msgspec.Struct):
    content: list[msgspec.Raw] | None = None


class UnreadableChunk(Exception):
    """A payload that is no chunk of a chat completion."""


_decode_chunk = msgspec.json.Decoder(Chunk).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_usage = msgspec.json.Decoder(_Usage).decode
_decode_totals = msgspec.json.Decoder(_Totals).decode
_decode_logprobs = msgspec.json.Decoder(_Logprobs).decode
_DONE = b"[DONE]"
_NOBODYS = object()


class ChunkReader:
    """Reads one stream's payloads; `finished` turns true at `[DONE]`, and `fault` is what could not be read.

    Some providers send choices that nobody has asked for: the answer is that of the first to be heard, and the others
    are left out.
    """

    __slots__ = ("_calls", "_index", "_model", "_said", "fault", "finished")

    def __init__(self) -> None:
        self.finished = False
        self.fault: UnreadableChunk | UnreadableCalls | None = None
        self._calls: dict[int, Calls] = {}  # of each choice
        self._said = NULL  # as the model was named last
        self._model: str | None = None
        self._index: Any = _NOBODYS  # of the choice that is the answer

    def read(self, payloads: Iterable[bytes]) -> list[Event]:
        """The events of payloads that arrived together, up to the first that cannot be read.

        Words come before what else was said, but not before a count that they have overtaken: it says nothing of them.
        """
        text, reasoning = "", ""
        events, rest = list[Event](), list[Event]()
        for chunk in self._chunks(payloads):
            if rest and _overtakes(chunk, rest):
                events += _together(reasoning, text, rest)
                text, reasoning, rest = "", "", []
            if chunk.model not in (NULL, self._said) and (served := self._served(chunk.model)):
                (rest or events).append(served)  # before the words that come with it
            for choice in chunk.choices or ():
                if choice.index != self._index and not self._takes(choice):
                    continue
                if (delta := choice.delta) is not None:
                    text += delta.content or ""
                    reasoning += delta.reasoning_content or (delta.thoughts if delta.reasoning is not NULL else "")
                rest += self._beside_words(choice, 0)
            if chunk.usage != NULL or chunk.error != NULL:
                rest += counted_or_failed(chunk)
        return [*events, *_together(reasoning, text, rest)]

    def _takes(self, choice: Choice) -> bool:
        """Is it the first to be heard? One without a number is number 0."""
        index = 0 if choice.index is None else choice.index
        if self._index is _NOBODYS:
            self._index = index
        return bool(index == self._index)

    def _served(self, said: msgspec.Raw) -> Served | None:
        """The model that answers, where it is told anew."""
        self._said = said.copy()
        name = name_of(bytes(said))
        if not name or name == self._model:
            return None
        self._model = name
        return Served(name)

    def _chunks(self, payloads: Iterable[bytes]) -> Iterator[Chunk]:
        for payload in payloads:
            if not payload:  # an event may be empty: it says nothing
                continue
            if (chunk := self._decoded(payload)) is None:
                return
            yield chunk
            if self.fault:
                return

    def _beside_words(self, choice: Choice, index: int) -> list[Event]:
        """`index` tells the choice's calls from those of others."""
        delta, events = choice.delta, list[Event]()
        if delta is not None and delta.refusal is not NULL:
            events += delta.refused
        if delta is not None and delta.tool_calls is not NULL and delta.tool_calls != NULL:
            try:
                events += self._calls_of(index).read(bytes(delta.tool_calls))
            except UnreadableCalls as error:
                self.fault = error
        if choice.logprobs is not NULL and choice.logprobs != NULL:
            events += _logprobs(bytes(choice.logprobs))
        if choice.finish_reason:
            events.append(Finished(choice.finish_reason))
        return events

    def _decoded(self, payload: bytes) -> Chunk | None:
        """The chunk; None at the end of the stream, or where it cannot be read."""
        if payload == _DONE:
            self.finished = True
            return None
        try:
            return self._read_chunk(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.fault = UnreadableChunk(payload[:80].decode("utf-8", "replace"))
            return None

    def _calls_of(self, index: int) -> Calls:
        """Of choices that nobody can have asked for none are remembered."""
        return self._calls.setdefault(index, Calls()) if index < MOST_CHOICES else Calls()

    def _read_chunk(self, payload: bytes) -> Chunk:
        return _decode_chunk(payload)


def _text_of(raw: bytes) -> str:
    """Empty where it is none."""
    try:
        return _decode_text(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def name_of(raw: bytes) -> str:
    """What the model is called, as a model may be called here: in pages, files and logs it can harm nobody.

    What does not print (line breaks, control characters, what turns the reading direction) becomes a space, a row of
    spaces one. A longer name ends in "…", so that it is no other model's. Empty: nothing is left, or it is no text.
    """
    try:
        begin = _decode_text(raw).strip()[: MAX_NAME + 1]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in begin).split())
    return name if len(begin) <= MAX_NAME else f"{name[: MAX_NAME - 1].rstrip()}…"


def _overtakes(chunk: Chunk, events: list[Event]) -> bool:
    """Has the chunk words, after a count among the events?"""
    has_words = any(choice.delta.has_words for choice in chunk.choices or () if choice.delta)
    return has_words and any(isinstance(event, Usage) for event in events)


def _logprobs(raw: bytes) -> list[Event]:
    """They go on as they are: only what is JSON in Unicode."""
    try:
        items = _decode_logprobs(raw.decode()).content
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return [Logprobs(tuple(item.copy() for item in items))] if items else []


def counted_or_failed(chunk: Chunk) -> list[Event]:
    usage = usage_of(bytes(chunk.usage))
    failed = chunk.error != NULL
    return [*([usage] if usage else []), *([Failed("upstream_failed")] if failed else [])]


def usage_of(raw: bytes) -> Usage | None:
    """The provider's count, DeepSeek's fields or OpenAI's; None when it is absent or makes no sense.

    Thoughts are part of the completion, and `total_tokens` says so. xAI counts them beside it, and bills both: then the
    total is that of all three.
    """
    found = _parts_or_totals(raw)
    if found is None:
        return None
    cached = found.prompt_cache_hit_tokens
    if cached is None and found.prompt_tokens_details:
        cached = found.prompt_tokens_details.cached_tokens
    details = found.completion_tokens_details
    reasoning = (details.reasoning_tokens if details else None) or 0
    completion, both = found.completion_tokens, found.completion_tokens + reasoning
    if both + found.prompt_tokens < MAX_TOKENS and bytes(found.total_tokens) == b"%d" % (found.prompt_tokens + both):
        completion = both
    return Usage(
        prompt_tokens=found.prompt_tokens,
        cached_tokens=min(cached or 0, found.prompt_tokens),
        completion_tokens=completion,
        reasoning_tokens=min(reasoning, completion),
    )


def _parts_or_totals(raw: bytes) -> _Usage | None:
    """One part that makes no sense does not spoil the totals."""
    try:
        return _decode_usage(raw)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        totals = _decode_totals(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return _Usage(totals.prompt_tokens, totals.completion_tokens)


def _together(reasoning: str, text: str, rest: list[Event]) -> list[Event]:
    events: list[Event] = []
    if reasoning:
        events.append(Reasoning(reasoning))
    if text:
        events.append(Token(text))
    return events + rest if rest else events
