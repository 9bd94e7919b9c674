"""The provider's end of one HTTP exchange, down to the byte: what scripts write with."""

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from tests.support.upstream_journal import Received

EVENT_STREAM = "text/event-stream; charset=utf-8"


class ClientClosed(Exception):
    """The client hung up before the answer was out."""


class Cut(Exception):
    """The script broke the connection on purpose."""


class Stopped(Exception):
    """The scripted provider is shutting down."""


class Reply:
    """Writes one response. A stream is sent chunked, each `send` as one chunk and one write."""

    def __init__(self, connection: socket.socket, request: Received, stopping: threading.Event) -> None:
        self.request = request
        self._connection = connection
        self._stopping = stopping
        self._sent = 0  # bytes of the body
        self.cut_at: int | None = None

    def whole(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A response of known length; breaks the connection at the byte `cut_at`."""
        length = {"Content-Length": str(len(body))}
        self._head(status, {"Content-Type": content_type, **length, **(headers or {})})
        if self.cut_at is not None:
            self._write(body[: self.cut_at])
            raise Cut
        self._write(body)

    def json(self, status: int, content: object, *, headers: Mapping[str, str] | None = None) -> None:
        self.whole(status, _json_bytes(content), headers=headers)

    def open_stream(self, *, content_type: str = EVENT_STREAM, headers: Mapping[str, str] | None = None) -> None:
        """Send the head of a stream with status 200; `send` and `finish` follow."""
        chunked = {"Transfer-Encoding": "chunked", "Cache-Control": "no-cache"}
        self._head(200, {"Content-Type": content_type, **chunked, **(headers or {})})

    def send(self, part: bytes) -> None:
        """One part of the body; breaks the connection at the byte `cut_at`. Raises ClientClosed."""
        if self.cut_at is not None and self._sent + len(part) > self.cut_at:
            self._write_chunk(part[: self.cut_at - self._sent])
            raise Cut
        self._write_chunk(part)

    def event(self, content: object, *, name: str = "") -> None:
        """One server-sent event; `content` is JSON to be, or bytes as they are."""
        data = content if isinstance(content, bytes) else _json_bytes(content)
        self.send((f"event: {name}\n".encode() if name else b"") + b"data: " + data + b"\n\n")

    def token(self, chunk: Mapping[str, Any], delta: Mapping[str, Any]) -> None:
        """An event that carries a piece of the answer; the journal notes it as sent."""
        began = time.monotonic()
        self.event(chunk)
        if self.request.first_token_at is None:  # all of it was sent: half an event says nothing
            self.request.first_token_at = began
        self.request.text_sent += delta.get("content", "")
        self.request.reasoning_sent += delta.get("reasoning_content", "")
        for call in delta.get("tool_calls", ()):
            self.request.calls_sent += call["function"].get("name", "") + call["function"].get("arguments", "")

    def comment(self, text: str = "keep-alive") -> None:
        self.send(f": {text}\n\n".encode())

    def pause(self, seconds: float) -> None:
        """Wait, noticing at once that the client has gone or the server stops."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._stopping.is_set():
                raise Stopped
            self._raise_if_closed(min(left, 0.05))

    def finish(self) -> None:
        """End a stream as HTTP wants it."""
        self._write(b"0\r\n\r\n")

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Cut

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.request.status = status
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._write("\r\n".join(lines).encode() + b"\r\n\r\n")

    def _write_chunk(self, part: bytes) -> None:
        if part:
            self._write(b"%x\r\n%b\r\n" % (len(part), part))
            self._sent += len(part)

    def _write(self, wire: bytes) -> None:
        self._raise_if_closed(0)
        try:
            self._connection.sendall(wire)
        except OSError as error:
            raise ClientClosed from error

    def _raise_if_closed(self, wait: float) -> None:
        readable, _, _ = select.select([self._connection], [], [], wait)
        if not readable:
            return
        try:
            is_closed = self._connection.recv(1, socket.MSG_PEEK) == b""
        except OSError as error:
            raise ClientClosed from error
        if is_closed:
            raise Stopped if self._stopping.is_set() else ClientClosed
        time.sleep(wait)  # a pipelined request waits its turn


def _json_bytes(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
