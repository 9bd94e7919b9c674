"""Embeddings of a provider: a vector for each input, in one reply of JSON."""

from collections.abc import Callable
from typing import Any

import msgspec

from flask_app import offload
from flask_app.domain.events import Begun, Event, Finished, Served, Usage, Vectors
from flask_app.errors import UpstreamError
from flask_app.upstream.chunks import Count, name_of
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.tool_calls import NULL

LONG_BYTES = 1 << 18  # reading more would hold others up
GARBAGE = "upstream_garbage"
MAX_REPLY_BYTES = 64 << 20  # 2,048 vectors of 3,072 numbers in base64 take 34 MB


class EmbeddingReply(ChatStream):
    """Vectors that are asked for, and told all at once.

    Of a reply that breaks off its provider has worked: that it had begun is told too, for that may be billed.
    """

    path, content_type, lacking = "/embeddings", "application/json", "embeddings_not_offered"

    def __init__(self, endpoint: Endpoint, body: dict[str, Any], request_id: str, *, prefix: bool = False) -> None:
        super().__init__(endpoint, body, request_id, prefix=prefix)
        self._inputs = inputs_of(body["input"])

    def deliver(self, take: Callable[[list[Event]], None]) -> None:
        """Give `take` the events of the reply. Raises UpstreamError where it breaks, stalls or cannot be read."""
        body, is_whole = bytearray(), False

        def read(data: bytes) -> bool:
            body.extend(data)
            self.bytes_received += len(data)
            self.begun = True
            if len(body) > MAX_REPLY_BYTES:
                raise UpstreamError(GARBAGE)
            return bool(data)

        try:
            self._receive_all(read, lambda: take([Begun()]) if body else None)
            told = bytes(body), self._inputs
            events = offload.run(_read, *told) if len(body) > LONG_BYTES else _read(*told)
            is_whole = True
        finally:
            self.close(reusable=is_whole)
        take(events)

    def _receive_all(self, read: Callable[[bytes], bool], tell_of_part: Callable[[], None]) -> None:
        try:
            self._receive(read)
        except UpstreamError as error:
            if error.code != GARBAGE:
                tell_of_part()
            raise


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


def _read(body: bytes, inputs: int) -> list[Event]:
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
