"""A socket that says exactly what a test wants to hear, and connections to it."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

from flask_app.upstream.client import Endpoint
from flask_app.upstream.connection import Connection, Origin
from tests.support.brokers import PATIENCE

Talk = Callable[[socket.socket], None]


class Peer:
    """Listens, and lets `talk` have each connection once a request's head has come."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._talk, self._context = talk, context
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def origin(self, scheme: str = "http", *, allow_insecure: bool = True) -> Origin:
        return Origin(scheme, "localhost" if scheme == "https" else "127.0.0.1", self.port, allow_insecure)

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                opened, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(opened,), daemon=True).start()

    def _one(self, opened: socket.socket) -> None:
        with contextlib.suppress(OSError):
            talking = self._context.wrap_socket(opened, server_side=True) if self._context else opened
            with talking:
                while talking.recv(65536):
                    self._talk(talking)


@contextlib.contextmanager
def peer(*parts: bytes, closes: bool = False) -> Iterator[Peer]:
    """Answers every request with `parts`, written one by one."""

    def talk(opened: socket.socket) -> None:
        for part in parts:
            opened.sendall(part)
            time.sleep(0.01)
        if closes:
            opened.shutdown(socket.SHUT_RDWR)

    listening = Peer(talk)
    try:
        yield listening
    finally:
        listening.close()


@contextlib.contextmanager
def raw_peer(said: bytes, drips: bytes = b"") -> Iterator[Endpoint]:
    """Answers one request with what is `said`, and then a byte of `drips` every tenth of a second."""

    def talk() -> None:
        opened, _ = listener.accept()
        with opened, contextlib.suppress(OSError):
            opened.recv(65536)
            opened.sendall(said)
            for byte in drips:
                time.sleep(0.1)
                opened.sendall(bytes([byte]))
            opened.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=talk, daemon=True).start()
        yield Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}", "sk-a", allow_insecure=True)


_opened: list[Connection] = []


def close_all() -> None:
    """Those that `to` has opened."""
    while _opened:
        _opened.pop().close()


def to(origin: Origin) -> Connection:
    _opened.append(made := Connection(origin))
    made.connect(PATIENCE)
    return made


def asked(origin: Origin, timeout: float | None = PATIENCE) -> Connection:
    made = to(origin)
    made.send("GET", "/", {}, b"")
    made.read_head(timeout)
    return made


def read_on(made: Connection) -> None:
    made.read_head(None)
    made.read()


def body_of(made: Connection) -> bytes:
    parts = []
    while part := made.read():
        parts.append(part)
    return b"".join(parts)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
