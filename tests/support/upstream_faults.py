"""What goes wrong at a provider: error statuses, broken streams, hostile bodies, silence."""

import time
import zlib
from dataclasses import dataclass
from typing import Any

from tests.support.upstream_answers import chunk, counted, pieces
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply


@dataclass(frozen=True, slots=True)
class Status:
    """An error status with the provider's error object. `retry_after` is in seconds, or a date as HTTP writes it."""

    status: int
    message: str = "scripted failure"
    retry_after: int | str | None = None
    code: str = "invalid_request_error"

    def play(self, reply: Reply, request: Received) -> None:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        reply.json(self.status, error_object(self.message, self.code), headers=headers)


def error_object(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": code, "param": None, "code": code}}


@dataclass(frozen=True, slots=True)
class Whole:
    """A body of any kind: HTML with status 200, JSON that is none, nothing at all."""

    body: bytes = b"<!doctype html><title>Sign in to the network</title><p>Not the API."
    content_type: str = "text/html; charset=utf-8"
    status: int = 200

    def play(self, reply: Reply, request: Received) -> None:
        reply.whole(self.status, self.body, content_type=self.content_type)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Sends the client, and the key it carries, elsewhere."""

    location: str
    status: int = 307

    def play(self, reply: Reply, request: Received) -> None:
        reply.whole(self.status, b"", headers={"Location": self.location})


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Status 200, some text, then an error as an event, with or without a name of its own."""

    after: str = ""
    message: str = "scripted overload"
    name: str = ""

    def play(self, reply: Reply, request: Received) -> None:
        begin(reply, request, self.after)
        reply.event(error_object(self.message, "server_error"), name=self.name)
        reply.finish()


@dataclass(frozen=True, slots=True)
class Raw:
    """Some text, then any bytes in the stream, then its end or a TCP reset."""

    parts: tuple[bytes, ...] = (b"\x00\xff\xfe not an event\n\n", b"data: {not json\n\n")
    after: str = ""
    resets: bool = False

    def play(self, reply: Reply, request: Received) -> None:
        begin(reply, request, self.after)
        for part in self.parts:
            reply.send(part)
        if self.resets:
            reply.reset()
        reply.finish()


@dataclass(frozen=True, slots=True)
class HugeLine:
    """One line of `size` bytes that ends in nothing."""

    size: int = 10 << 20
    after: str = ""

    def play(self, reply: Reply, request: Received) -> None:
        begin(reply, request, self.after)
        reply.send(b'data: {"choices": [{"delta": {"content": "')
        for _ in range(self.size // 65_536):
            reply.send(b"x" * 65_536)
        reply.finish()


@dataclass(frozen=True, slots=True)
class GzipBomb:
    """A compressed stream that nobody asked for, `size` bytes when unpacked."""

    size: int = 200 << 20

    def play(self, reply: Reply, request: Received) -> None:
        reply.open_stream(headers={"Content-Encoding": "gzip"})
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        block = b"data: " + b"x" * ((1 << 20) - 6)
        for _ in range(self.size >> 20):
            reply.send(packer.compress(block))
        reply.send(packer.flush())
        reply.finish()


@dataclass(frozen=True, slots=True)
class Drip:
    """A correct answer, one byte at a time."""

    text: str = "drip"
    seconds_per_byte: float = 0.001

    def play(self, reply: Reply, request: Received) -> None:
        reply.open_stream()
        event = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n'
        for byte in (event % self.text.encode()) + b"data: [DONE]\n\n":
            reply.send(bytes([byte]))
            reply.pause(self.seconds_per_byte)
        request.text_sent = self.text
        reply.finish()


@dataclass(frozen=True, slots=True)
class Endless:
    """An answer, or its thoughts, that finds no end, whatever length was asked for; `silently`: events without text."""

    piece: str = "word "
    kind: str = "content"
    silently: bool = False

    def play(self, reply: Reply, request: Received) -> None:
        begin(reply, request, "")
        while True:
            delta = {} if self.silently else {self.kind: self.piece}
            reply.token(chunk(request.model, request.number, delta), delta)


@dataclass(frozen=True, slots=True)
class Stall:
    """Some text, then silence, or keep-alive comments only, until the client gives up."""

    after: str = ""
    seconds: float = 60.0
    comment_every: float | None = None
    before_head: bool = False

    def play(self, reply: Reply, request: Received) -> None:
        if not self.before_head:
            begin(reply, request, self.after)
        step = self.comment_every or self.seconds
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            if self.comment_every:
                reply.comment()
            reply.pause(step)
        reply.reset()


def begin(reply: Reply, request: Received, text: str) -> None:
    """Open the stream and send `text` in tokens, as an answer would begin."""
    request.billed = counted(request, text)
    reply.open_stream()
    for piece in pieces(text):
        delta = {"content": piece}
        reply.token(chunk(request.model, request.number, delta), delta)
