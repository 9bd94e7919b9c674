"""Embeddings of a provider: a vector for each input, in one reply of JSON."""

from collections.abc import Callable
from typing import Any

import msgspec

from flask_app import offload
from flask_app.domain.events import Begun, Event, Finished, Served, Usage, Vectors
from flask_app.errors import AppError, UpstreamError
from flask_app.upstream.chunks import name_of
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.counts import Count
from flask_app.upstream.reply_room import STEP, USUAL, LongReply, shrink_place, take_place
from flask_app.upstream.tool_calls import NULL

LONG_BYTES = 1 << 18  # reading more would hold others up
GARBAGE = "upstream_garbage"
MAX_REPLY_BYTES = 48 << 20  # 2,048 vectors of 3,072 numbers take 34 MB in base64, of 1,024 about as much written out


class EmbeddingReply(ChatStream):
    """Vectors that are asked for, and told all at once.

    Of a reply that breaks off its provider has worked: that it had begun is told too, for that may be billed.
    """

    path, content_type, lacking = "/embeddings", "application/json", "embeddings_not_offered"

    def __init__(self, endpoint: Endpoint, body: dict[str, Any], request_id: str, *, prefix: bool = False) -> None:
        super().__init__(endpoint, body, request_id, prefix=prefix)
        self._inputs = inputs_of(body["input"])

    def deliver(self, take: Callable[[list[Event]], None]) -> None:
        """Give `take` the events of the reply.

        Raises UpstreamError where it breaks, stalls, is too long or cannot be read, and Unavailable where there is no
        room for a long one.
        """
        body, is_whole = LongReply(), False
        try:
            try:
                self._receive_into(body)
            except AppError:
                take([Begun()] if body else [])
                raise
            told = body, self._inputs
            events = offload.run(_read, *told) if len(body) > LONG_BYTES else _read(*told)
            is_whole = True
        finally:
            self.close(reusable=is_whole)
        take(events)

    def _receive_into(self, body: LongReply) -> None:
        is_over, room = False, USUAL

        def read(data: bytes) -> bool:
            nonlocal is_over
            body.extend(data)
            self.bytes_received += len(data)
            self.begun, is_over = True, not data
            if len(body) > MAX_REPLY_BYTES:
                raise UpstreamError("reply_too_long")
            return not is_over and len(body) <= room

        self._receive(read)
        while not is_over:  # what comes meanwhile waits in the socket
            told = self._told_length()
            room = told or min(len(body) + STEP, MAX_REPLY_BYTES)
            take_place(body, room, told or MAX_REPLY_BYTES, lambda: self._is_shut)
            self._receive(read)
        shrink_place(body)

    def _told_length(self) -> int:
        """How many bytes it is said to have, as far as there may be so many; none where that is not said."""
        told = self._connection.response.headers.get("content-length", "") if self._connection else ""
        return min(int(told), MAX_REPLY_BYTES) if told.isdecimal() and len(told) < 20 else 0


def inputs_of(given: object) -> int:
    """How many vectors there are to be: a list of numbers is the tokens of one input."""
    return len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1


class _Vector(msgspec.Struct):
    index: Count
    embedding: msgspec.Raw


class _Counted(msgspec.Struct):
    prompt_tokens: Count | None = None
    total_tokens: Count | None = None


class _Reply(msgspec.Struct):
    data: list[_Vector]
    model: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL


_decode = msgspec.json.Decoder(_Reply).decode
_decode_counted = msgspec.json.Decoder(_Counted).decode
_decode_vector = msgspec.json.Decoder(list[float] | str).decode


def _read(body: LongReply, inputs: int) -> list[Event]:
    try:
        reply = _decode(body)
        found = {vector.index: vector.embedding for vector in reply.data}
        for each in found.values():
            _decode_vector(each)  # they go on as they are: only what is a vector
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError(GARBAGE, retryable=True) from error
    if sorted(found) != list(range(inputs)):
        raise UpstreamError(GARBAGE, retryable=True)
    served = name_of(bytes(reply.model)) if reply.model != NULL else ""
    usage = _usage_of(bytes(reply.usage))
    vectors = Vectors(tuple(found[index] for index in range(inputs)))
    return [*([Served(served)] if served else []), vectors, *([usage] if usage else []), Finished("stop")]


def _usage_of(raw: bytes) -> Usage | None:
    """The provider's count: all of it is the prompt, and some tell the total alone."""
    try:
        counted = _decode_counted(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    tokens = counted.total_tokens if counted.prompt_tokens is None else counted.prompt_tokens
    return None if tokens is None else Usage(tokens, 0, 0, 0)
