"""Payloads of a chat completion stream → events; several pieces that arrived together become one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from flask_app.domain.events import Event, Failed, Finished, Logprobs, Reasoning, Served, Token, Usage
from flask_app.domain.refused import Refused
from flask_app.upstream.counts import usage_of
from flask_app.upstream.plain_chunks import Form, decode_plain
from flask_app.upstream.tool_calls import NULL, Calls, UnreadableCalls

MOST_CHOICES = 64  # more than anybody may ask for
MOST_OTHERS = 8  # so many chunks that are not plain are tried the short way: an answer's beginning and end are three
MOST_FORMS = 200  # so many times it is looked what all plain chunks have alike: some providers change it every second
MAX_NAME = 128  # as many characters as a model's name may have here


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


class _Logprobs(msgspec.Struct):
    content: list[msgspec.Raw] | None = None


class UnreadableChunk(Exception):
    """A payload that is no chunk of a chat completion."""


_decode_chunk = msgspec.json.Decoder(Chunk).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_logprobs = msgspec.json.Decoder(_Logprobs).decode
_DONE = b"[DONE]"
_NOBODYS = object()


class ChunkReader:
    """Reads one stream's payloads; `finished` turns true at `[DONE]`, and `fault` is what could not be read.

    An event of that `form` says no more than its words, and need not come here.

    Some providers send choices that nobody has asked for: the answer is that of the first to be heard, and the others
    are left out.
    """

    __slots__ = ("_calls", "_forms", "_index", "_model", "_others", "_said", "fault", "finished", "form")

    def __init__(self) -> None:
        self.finished = False
        self.fault: UnreadableChunk | UnreadableCalls | None = None
        self._calls: dict[int, Calls] = {}  # of each choice
        self._said = NULL  # as the model was named last
        self._model: str | None = None
        self._index: Any = _NOBODYS  # of the choice that is the answer
        self._others = 0  # chunks that were not plain
        self.form: Form | None = None  # of the last that was
        self._forms = 0

    def read(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events of payloads that arrived together, up to the first that cannot be read.

        Words come before what else was said, but not before a count that they have overtaken: it says nothing of them.
        """
        if len(payloads) > 1:
            word = self.form.read_all(payloads) if self.form else None
        else:
            word = self._plain(payloads[0]) if payloads and self._others < MOST_OTHERS else None
        return [word] if word else self._read_in_full(payloads)

    def _read_in_full(self, payloads: Sequence[bytes]) -> list[Event]:
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

    def _plain(self, payload: bytes) -> Token | Reasoning | None:
        """The words of a chunk that says nothing else, and nothing new; None for any other: it is to be read in full.

        Nearly every chunk of an answer is such a one, and this costs less than to read it in full.
        """
        if self.form and (word := self.form.read(payload)):
            return word
        try:
            chunk = decode_plain(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._others += 1
            return None
        (choice,) = chunk.choices
        if choice.index != self._index or chunk.model not in (self._said, NULL):
            return None
        text, reasoning = choice.delta.content, choice.delta.reasoning_content
        if bool(text) == bool(reasoning):
            return None
        word = Token(text) if text else Reasoning(reasoning or "")
        if self._forms < MOST_FORMS:
            self.form = Form.of(payload, word)
            self._forms += 1
        return word

    def _takes(self, choice: Choice) -> bool:
        """Is it the first to be heard? One without a number is number 0."""
        index = 0 if choice.index is None else choice.index
        if self._index is _NOBODYS:
            self._index = index
        return bool(index == self._index)

    def _served(self, said: msgspec.Raw) -> Served | None:
        """The model that answers, where it is told anew."""
        self._said, self.form = said.copy(), None
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


def _together(reasoning: str, text: str, rest: list[Event]) -> list[Event]:
    events: list[Event] = []
    if reasoning:
        events.append(Reasoning(reasoning))
    if text:
        events.append(Token(text))
    return events + rest if rest else events
