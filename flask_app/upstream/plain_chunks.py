"""Chunks that say nothing but words of one choice, as nearly all of an answer do: read for less than any others."""

import re
from collections.abc import Sequence

import msgspec

from flask_app.domain.events import Reasoning, Token
from flask_app.upstream.tool_calls import NULL

_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)  # of JSON, from behind its first quote to its last
_PLACES = {Token: re.compile(rb'"content": ?"'), Reasoning: re.compile(rb'"reasoning_content": ?"')}
_PROBE = "words in their place"


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: None = None
    refusal: None = None
    tool_calls: None = None


class _Choice(msgspec.Struct):
    delta: _Delta
    index: int
    logprobs: None = None
    finish_reason: None = None


class PlainChunk(msgspec.Struct):
    """What nearly every chunk is: it decodes as this one alone where it says nothing else."""

    choices: tuple[_Choice]
    model: msgspec.Raw = NULL
    usage: None = None
    error: None = None


decode_plain = msgspec.json.Decoder(PlainChunk).decode
_decode_text = msgspec.json.Decoder(str).decode


class Form:
    """What stands before and after the words of a plain chunk's event. Most have those of the last, and need not be
    decoded.

    What stands between the same bytes, and is one string of JSON, takes the place of the words: no line ends in it.
    """

    __slots__ = ("_after", "_before", "_kind", "_shortest")

    def __init__(self, before: bytes, after: bytes, kind: type[Token | Reasoning]) -> None:
        self._before, self._after, self._kind = b"data: " + before, after + b"\n\n", kind
        self._shortest = len(self._before) + len(self._after)

    @classmethod
    def of(cls, payload: bytes, word: Token | Reasoning) -> "Form | None":
        """That of a plain chunk with these words; None where it cannot be told where they stand."""
        kind = type(word)
        place = _PLACES[kind].search(payload)
        end = _STRING.match(payload, place.end()) if place else None
        if end is None or payload[end.end() : end.end() + 1] != b'"' or b"\n" in payload:  # an event of several lines
            return None
        form = cls(payload[: end.start()], payload[end.end() :], kind)
        return form if _is_of_words(payload[: end.start()] + _PROBE.encode() + payload[end.end() :], kind) else None

    def read(self, payload: bytes) -> Token | Reasoning | None:
        """The words of a chunk of this form; None for any other, or where there are none."""
        return self.read_event(b"data: %b\n\n" % payload)

    def read_all(self, payloads: Sequence[bytes]) -> Token | Reasoning | None:
        """The same of several that came together, all of this form: their words are one's."""
        texts: list[str] = []
        for payload in payloads:
            if (word := self.read(payload)) is None:
                return None
            texts.append(word.text)
        return self._kind("".join(texts))

    def read_event(self, event: bytes) -> Token | Reasoning | None:
        """The same of a whole event as it came, or of what may be one: of two together the form is none."""
        before, after = self._before, self._after
        if not (event.startswith(before) and event.endswith(after) and len(event) > self._shortest):
            return None
        try:
            return self._kind(_decode_text(b'"%b"' % event[len(before) : -len(after)]))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


def _is_of_words(payload: bytes, kind: type[Token | Reasoning]) -> bool:
    """Do other words in this place become those of the chunk, and nothing else of it?"""
    try:
        delta = decode_plain(payload).choices[0].delta
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    words = (delta.content or None, delta.reasoning_content or None)
    return words == ((_PROBE, None) if kind is Token else (None, _PROBE))
