"""A client's socket as an outlet: under gunicorn and gevent a token goes from its run straight to its reader."""

import contextlib
import errno
import os
import socket
import ssl
from typing import Any, Self

STUCK_SECONDS = 60  # how long a reader may take over a piece before its connection is cut; it resumes from where it was

_PIECE = 64 * 1024


class SocketOutlet:
    """Writes pieces of a response that gunicorn has begun and whose own thread sleeps.

    `offer` never waits: what the socket does not take at once is left to that thread, whose `write` and `drain` do
    wait, for as long as the reader takes 64 KB a minute. Through TLS inside gunicorn all is left to it.
    """

    def __init__(self, client: socket.socket, *, chunked: bool) -> None:
        self._client = client
        self._send = getattr(client, "_sock", client).send  # as the system has it: gevent's own is to wait
        self._chunked = chunked  # HTTP/1.0 has no chunks: the response goes on until the connection ends
        self._is_encrypted = isinstance(client, ssl.SSLSocket)
        self._patience = client.gettimeout()
        self._rest = b""
        self.is_clogged = False
        self._is_open = False
        self.written = 0  # bytes of the body, without what frames them

    @classmethod
    def of(cls, environ: dict[str, Any]) -> Self | None:
        """The outlet of a request; None where its server does not hand out a socket that never blocks."""
        client = environ.get("gunicorn.socket")
        protocol = environ["SERVER_PROTOCOL"]
        if client is None or protocol not in {"HTTP/1.0", "HTTP/1.1"}:
            return None
        if os.get_blocking(client.fileno()):
            return None
        if client.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_SECONDS * 1000)
        return cls(client, chunked=protocol == "HTTP/1.1")

    def cork(self) -> None:
        """Keep back what is written until `open` or `close`: the head and the first event travel together."""
        self._set_cork(1)

    def open(self) -> None:
        """The response's head is out: chunks may follow."""
        if not self._is_open:
            self._is_open = True
            self._set_cork(0)

    def close(self) -> None:
        """The response ends: the socket may belong to another request next."""
        if not self._is_open:
            self._set_cork(0)
        self._is_open = False

    def _set_cork(self, value: int) -> None:
        if self._client.family != socket.AF_UNIX and hasattr(socket, "TCP_CORK"):
            with contextlib.suppress(OSError):  # gone: whoever writes next finds out
                self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, value)

    def offer(self, frame: bytes) -> bool:
        if not self._is_open or self.is_clogged or self._is_encrypted:
            return False
        chunk = b"%x\r\n%b\r\n" % (len(frame), frame) if self._chunked else frame
        try:
            sent = self._send(chunk)
        except OSError:  # full, or gone: the response's own thread finds out which
            return False
        if sent < len(chunk):
            self._rest, self.is_clogged = chunk[sent:], True
        self.written += len(frame)
        return True

    def write(self, frame: bytes) -> None:
        """Write an event behind the rest of the last one; raises OSError once the reader has gone or was cut."""
        self._rest += self._framed(frame)
        self.drain()
        self.written += len(frame)

    def _framed(self, frame: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(frame), frame) if self._chunked else frame

    def drain(self) -> None:
        """Write what is left of the last event; raises OSError as `write` does."""
        rest, self._rest, self.is_clogged = self._rest, b"", False
        self._client.settimeout(STUCK_SECONDS)
        try:
            for start in range(0, len(rest), _PIECE):
                self._client.sendall(rest[start : start + _PIECE])
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the reader is too slow and was cut") from error
        finally:
            self._client.settimeout(self._patience)


def has_left(environ: dict[str, Any]) -> bool:
    """Has the client closed its connection? False where its server does not hand out the socket."""
    client = environ.get("gunicorn.socket")
    if client is None or isinstance(client, ssl.SSLSocket):
        return False
    patience = client.gettimeout()
    client.settimeout(0)
    try:
        return not client.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.settimeout(patience)
