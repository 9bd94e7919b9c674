"""One HTTP/1.1 connection to a provider.

httptools (`response.py`) reads what comes; a token costs one `recv` and a microsecond here, where the layers
of a general client cost as much as all the rest of its way. Once a response has begun, the socket has no time-out:
a timer for each read would be dear, so `shutdown` from another thread ends a read that lasts too long.

A server with an event loop says how to watch a socket (see gunicorn.conf.py): what comes is then read on the loop
itself, and the thread whose answer it is sleeps meanwhile.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from urllib.parse import SplitResult

from flask_app.upstream.addresses import Place, resolve
from flask_app.upstream.response import BrokenResponse, Response
from flask_app.upstream.watching import Watcher

READ_BYTES = 1 << 16
TURN_BYTES = 1 << 20  # are read at most, where an answer waits for its turns: others wait for theirs
MAX_HEAD_BYTES = 1 << 16
TOGETHER_BYTES = 1 << 16  # a longer body is not copied to travel with its head

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


_watcher: Callable[[socket.socket], Watcher] | None = None  # without a loop, a thread that reads waits by itself


def watch_with(watcher: Callable[[socket.socket], Watcher]) -> None:
    """From now on watch sockets that way, where no time-out is set."""
    global _watcher
    _watcher = watcher


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads, and whether that may be a host of this machine or network."""

    scheme: str
    host: str
    port: int
    allow_insecure: bool

    @classmethod
    def of(cls, url: SplitResult, *, allow_insecure: bool) -> "Origin":
        return cls(url.scheme, url.hostname or "", url.port or _DEFAULT_PORTS[url.scheme], allow_insecure)

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


class Connection:
    """Carries one request at a time: `send`, `read_head`, then `read` until it gives nothing, or `read_each`."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self.is_used = False  # has a request been sent since it was opened or kept, or a part of one?
        self.response = Response()
        self._socket: socket.socket | None = None
        self._encrypted: ssl.SSLSocket | None = None
        self._watcher: Watcher | None = None
        self._receive: Callable[[int], bytes] | None = None  # of a watched socket, in `read_each` alone
        self._between = 0  # bytes since the last that belonged to the body
        self._is_shut = False  # nothing may be opened any more
        self._woken = threading.Event()  # from waiting for where the host is

    def connect(self, timeout: float) -> None:
        """Open the socket, TLS verified; raises OSError, or UpstreamError for a host that has no fit address.

        `timeout` in seconds holds for each address and step, the look-up of the host's name among them.
        """
        failure = OSError(f"{self.origin.host} has no address")
        for family, place in self._places(timeout):
            try:
                self._connect(socket.socket(family, socket.SOCK_STREAM), place, timeout)
            except OSError as error:
                failure = error
                self.close()
            else:
                return
        raise failure

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write a request, as long as it takes; raises OSError."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.origin.host_header}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a line end inside a request's head")
        lines += [f"Content-Length: {len(body)}", "", ""]
        self.response, self._between = Response(), 0
        self.set_timeout(None)  # connecting, or looking whether it is silent, left one of its own
        opened, self.is_used = self._open_socket(), True
        head = "\r\n".join(lines).encode("latin-1")
        if len(body) <= TOGETHER_BYTES:
            opened.sendall(head + body)
        else:
            opened.sendall(head)
            opened.sendall(body)

    def read_head(self, timeout: float | None) -> None:
        """Wait for the response's status and headers; raises OSError (TimeoutError among them) or BrokenResponse.

        `timeout` is how many seconds this read and each later one may wait; None: as long as it takes.
        """
        receive, taken = self._open_socket().recv, 0
        self.set_timeout(timeout)
        while not self.response.has_head:
            if self.response.fault:
                raise self.response.fault
            if not (data := receive(READ_BYTES)) or taken > MAX_HEAD_BYTES:
                raise BrokenResponse("no whole response head")
            taken += len(data)
            self.response.feed(data)

    def set_timeout(self, seconds: float | None) -> None:
        self._open_socket().settimeout(seconds)

    def read(self) -> bytes:
        """What has come of the body, at least a byte; nothing at its end. Raises OSError or BrokenResponse."""
        while (data := self._received()) is None:
            pass
        return data

    def read_within(self, seconds: float) -> bytes:
        """The same, within so many seconds in all, also where what comes drips and is no part of the body."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.set_timeout(left)
            if (data := self._received()) is not None:
                return data
        raise TimeoutError(f"no part of the body within {seconds:g} seconds")

    def read_each(self, take: Callable[[bytes], bool]) -> None:
        """Give `take` what comes of the body, piece by piece, and nothing at its end, until it gives False.

        There is no time-out. `take` must not wait: it may be called on the event loop. Raises BrokenResponse, and
        whatever `take` raises.
        """
        look = partial(self._look, take)
        if self._watcher is None or self._socket is None:
            while look():
                pass
            return
        self._socket.settimeout(0)
        self._receive = self._watcher.receive
        try:
            if look():  # something may have come with the head
                self._watcher.each(look)
        finally:
            self._receive = None

    def _look(self, take: Callable[[bytes], bool]) -> bool:
        """Give `take` all that there is, or, where the socket has patience, one piece; False when it wants no more."""
        while True:
            try:
                data = self._received()
            except OSError as error:
                raise BrokenResponse(str(error)) from error
            if data is not None and not take(data):
                return False
            response = self.response
            if response.is_complete or response.fault:
                continue
            if self._encrypted is None or not self._encrypted.pending():  # which the socket itself does not tell of
                return True

    def _received(self) -> bytes | None:
        """The same as `read`; None when what came was no part of the body, or, without patience, nothing has come."""
        response = self.response
        parts = response.parts
        if not (parts or response.fault or response.is_complete):
            receive = None if self._is_shut else self._receive
            try:
                data = (receive or self._open_socket().recv)(READ_BYTES)
            except _NOTHING_YET:
                return None
            if data:  # as `_feed` does, which a token is spared
                self._between += len(data)
                response.feed(data)
            else:
                self._feed(data)
            if receive and self._watcher and self._watcher.turns.are_taken:
                self._feed_rest(receive, len(data))
        if parts:
            self._between = 0
            data = parts[0] if len(parts) == 1 else b"".join(parts)
            parts.clear()
            return data
        if response.fault:
            raise response.fault
        if self._between > MAX_HEAD_BYTES:
            raise BrokenResponse("trailers or chunk extensions without end")
        return b"" if response.is_complete else None

    def _feed(self, data: bytes) -> int:
        """Take what was received; gives how much that is."""
        if data:
            self._between += len(data)
            self.response.feed(data)
        else:
            self._open_socket()  # raises where it was shut from here
            self.response.end()
        return len(data)

    def _feed_rest(self, receive: Callable[[int], bytes], size: int) -> None:
        """Take what else has come by now, after so much: of TLS one `recv` gives a record, which may be one token.

        What it raises is told after what came before.
        """
        response, taken = self.response, size
        while not (response.is_complete or response.fault) and taken < TURN_BYTES:
            if size < READ_BYTES and self._encrypted is None:  # that was all
                return
            try:
                size = self._feed(receive(READ_BYTES))
            except _NOTHING_YET:
                return
            except (OSError, BrokenResponse) as error:
                response.fault = BrokenResponse(str(error))
            taken += size

    def shutdown(self) -> None:
        """Wake whoever connects or reads, from another thread; the connection is of no use afterwards."""
        self._is_shut = True
        self._woken.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):  # closed already, or never connected
                below_tls(self._socket).shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        if self._socket is not None:
            self._socket.close()

    def is_silent(self) -> bool:
        """Has nothing come since the last response? Anything else on an idle connection is its end, or no good."""
        self.set_timeout(0)
        try:
            below_tls(self._open_socket()).recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def _places(self, timeout: float) -> list[Place]:
        if self._is_shut:
            raise ConnectionAbortedError("shut down before")
        host, port, allow_insecure = self.origin.host, self.origin.port, self.origin.allow_insecure
        return resolve(host, port, allow_insecure=allow_insecure, seconds=timeout, woken=self._woken)

    def _connect(self, made: socket.socket, place: Place, timeout: float) -> None:
        self._socket = made
        made.settimeout(timeout)
        self._open_socket().connect(place)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.origin.scheme == "https":
            wrapped = _tls().wrap_socket(made, server_hostname=self.origin.host, do_handshake_on_connect=False)
            # Before the handshake: `shutdown` must reach it, and `made` is only a shell now.
            self._socket = self._encrypted = wrapped
            self._open_socket()
            wrapped.do_handshake()
        self._watcher = _watcher(self._socket) if _watcher else None

    def _open_socket(self) -> socket.socket:
        if self._is_shut or self._socket is None:
            raise ConnectionAbortedError("shut down, or never opened")
        return self._socket


def below_tls(opened: socket.socket) -> socket.socket:
    """The socket itself, for what TLS has no word for."""
    return super(ssl.SSLSocket, opened) if isinstance(opened, ssl.SSLSocket) else opened  # type: ignore[return-value]


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
