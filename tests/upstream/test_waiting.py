"""Waiting for a provider's socket on an event loop: nothing that has come is waited for."""

import contextlib
import os
import selectors
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flask_app.upstream import connection
from flask_app.upstream.connection import Connection, Origin
from flask_app.upstream.response import BrokenResponse
from flask_app.upstream.turns import Turns
from tests.support import certificates
from tests.support.brokers import PATIENCE
from tests.support.peers import Peer

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECES = [b"x" * size for size in (1, 100, 16_000, 17_000, 70_000)] * 4
BODY = sum(map(len, PIECES))


def burst(opened: socket.socket) -> None:
    """Everything at once, and then silence: a reader that waits for more before it has read all waits for ever."""
    for piece in PIECES:
        opened.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))


def answer(opened: socket.socket) -> None:
    opened.sendall(HEAD)
    burst(opened)
    opened.sendall(b"0\r\n\r\n")


class Timer:
    def start(self, call: Callable[[], object]) -> None:
        """Nobody waits for it."""

    def stop(self) -> None:
        """As little."""


class Watching:
    """Watches a socket from this thread, and counts how often there was something."""

    looks = 0

    def __init__(self, opened: socket.socket) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(opened.fileno(), selectors.EVENT_READ)
        self.receive, self.turns = opened.recv, Turns(Timer())

    def each(self, look: Callable[[], bool]) -> None:
        goes_on = True
        while goes_on:
            assert self._selector.select(PATIENCE), "nothing more comes"
            Watching.looks += 1
            goes_on = look()

    def close(self) -> None:
        self._selector.close()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_watcher", Watching)
    monkeypatch.setattr(Watching, "looks", 0)


@contextlib.contextmanager
def asked(origin: Origin, timeout: float | None = None) -> Iterator[Connection]:
    made = Connection(origin)
    with contextlib.closing(made):
        made.connect(PATIENCE)
        made.send("GET", "/", {}, b"")
        made.read_head(timeout)
        yield made


def length_of(made: Connection) -> int:
    pieces: list[bytes] = []

    def take(piece: bytes) -> bool:
        pieces.append(piece)
        return bool(piece)

    made.read_each(take)
    return sum(map(len, pieces))


@pytest.mark.usefixtures("watched")
def test_an_answer_is_read_when_there_is_something_to_read() -> None:
    peer = Peer(answer)
    with asked(peer.origin()) as made:
        assert length_of(made) == BODY
    assert Watching.looks > 0
    peer.close()


@pytest.mark.usefixtures("watched")
def test_what_tls_has_unpacked_already_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    server, client = certificates.contexts("localhost")
    monkeypatch.setattr(connection, "_tls", lambda: client)
    peer = Peer(answer, server)
    with asked(peer.origin("https")) as made:
        assert length_of(made) == BODY
    assert Watching.looks > 0
    peer.close()


@pytest.mark.usefixtures("watched")
def test_who_wants_no_more_gets_no_more() -> None:
    peer = Peer(answer)
    pieces: list[bytes] = []

    def take(piece: bytes) -> bool:
        pieces.append(piece)
        return False

    with asked(peer.origin()) as made:
        made.read_each(take)
    assert [bool(piece) for piece in pieces] == [True]
    peer.close()


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("said", [b"", b"x", b"5\r\nhel"])
def test_an_answer_that_breaks_off_is_broken(said: bytes) -> None:
    peer = Peer(lambda opened: opened.sendall(HEAD + said))
    with asked(peer.origin()) as made:
        threading.Timer(0.2, made.shutdown).start()
        with pytest.raises(BrokenResponse):
            length_of(made)
    peer.close()


@pytest.mark.usefixtures("watched")
def test_a_read_that_has_a_time_out_keeps_it() -> None:
    """The socket's own time-out ends it, not an event that never comes."""
    peer = Peer(lambda opened: opened.sendall(HEAD))
    with asked(peer.origin(), timeout=PATIENCE) as made:
        made.set_timeout(0.2)
        with pytest.raises(TimeoutError):
            made.read()
    assert Watching.looks == 0
    peer.close()


def silent_after(opened: socket.socket) -> None:
    opened.sendall(HEAD)
    burst(opened)


@pytest.mark.parametrize("beside", ["few", "many"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("talk", "how", "told"),
    [
        (answer, "whole", str(BODY)),
        (silent_after, "shut", "BrokenResponse"),
        (answer, "fault", "ZeroDivisionError"),
    ],
)
def test_under_gevent_every_byte_comes_and_every_end_is_told(
    tmp_path: Path, scheme: str, talk: Callable[[socket.socket], None], how: str, told: str, beside: str
) -> None:
    server, client = certificates.contexts("localhost")
    trusted = tmp_path / "trusted.pem"
    trusted.write_text("".join(map(ssl.DER_cert_to_PEM_cert, client.get_ca_certs(binary_form=True))))
    peer = Peer(talk, server if scheme == "https" else None)
    command = [sys.executable, "-m", "tests.support.gevent_reader", scheme, str(peer.port), how, beside]
    environ = dict(os.environ) | {"SSL_CERT_FILE": str(trusted)}
    said = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=True)
    assert said.stdout == told, said.stderr
    peer.close()
