"""Streams that are other than that of one answer of a chat: of several answers at once, and of plain text."""

from collections.abc import Sequence
from typing import Any

import msgspec

from flask_app.domain.events import Event, OfChoice, Reasoning, Token
from flask_app.upstream.chunks import Choice, Chunk, ChunkReader, Delta, counted_or_failed
from flask_app.upstream.counts import Count
from flask_app.upstream.tool_calls import NULL


class _NumberedChoice(Choice):
    index: Count = 0


class _NumberedChunk(msgspec.Struct):
    choices: list[_NumberedChoice] | None = None
    model: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


class _TextChoice(msgspec.Struct):
    text: str | None = None
    logprobs: msgspec.Raw = NULL
    finish_reason: str | None = None
    index: Any = 0


class _TextChunk(msgspec.Struct):
    choices: list[_TextChoice] = []
    model: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_decode_numbered = msgspec.json.Decoder(_NumberedChunk).decode
_decode_text = msgspec.json.Decoder(_TextChunk).decode


class ChoicesReader(ChunkReader):
    """Of several answers at once: what belongs to one of them says to which."""

    __slots__ = ()

    def _read_chunk(self, payload: bytes) -> Chunk:
        read = _decode_numbered(payload)
        return Chunk(list(read.choices or ()), read.model, read.usage, read.error)

    def read(self, payloads: Sequence[bytes]) -> list[Event]:
        events: list[Event] = []
        for chunk in self._chunks(payloads):
            if chunk.model not in (NULL, self._said) and (served := self._served(chunk.model)):
                events.append(served)
            for choice in chunk.choices or ():
                events += self._numbered(choice)
            if chunk.usage != NULL or chunk.error != NULL:
                events += counted_or_failed(chunk)
        return events

    def _numbered(self, choice: Choice) -> list[Event]:
        said: list[Event] = []
        if choice.delta is not None and (thoughts := choice.delta.thoughts):
            said.append(Reasoning(thoughts))
        if choice.delta is not None and choice.delta.content:
            said.append(Token(choice.delta.content))
        index = choice.index if isinstance(choice, _NumberedChoice) else 0
        return [OfChoice(index, event) for event in (*said, *self._beside_words(choice, index))]


class TextReader(ChunkReader):
    """Of a completion of plain text, whose chunks have a `text`, and tables of how likely its tokens were.

    Each chunk's table is one item of `Logprobs`.
    """

    __slots__ = ()

    def _read_chunk(self, payload: bytes) -> Chunk:
        read = _decode_text(payload)
        choices = [
            Choice(Delta(each.text), _in_list(each.logprobs), each.finish_reason, each.index) for each in read.choices
        ]
        return Chunk(choices, read.model, read.usage, read.error)

    def _plain(self, payload: bytes) -> None:
        """Never: their words stand elsewhere."""


def _in_list(table: msgspec.Raw) -> msgspec.Raw:
    return table if table == NULL else msgspec.Raw(b'{"content":[' + bytes(table) + b"]}")
