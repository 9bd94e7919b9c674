"""Waiting for a provider's socket on an event loop: nothing that has come is waited for."""

import contextlib
import os
import selectors
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from flask_app.upstream import connection
from flask_app.upstream.connection import Connection, Origin
from tests.support import certificates
from tests.upstream.test_connection import Peer

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


class Watching:
    """Waits for a socket, and counts how often."""

    waits = 0

    def __init__(self, opened: socket.socket) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(opened.fileno(), selectors.EVENT_READ)

    def wait(self) -> None:
        Watching.waits += 1
        assert self._selector.select(5), "nothing more comes"

    def close(self) -> None:
        self._selector.close()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_waiter", Watching)
    monkeypatch.setattr(Watching, "waits", 0)


def read_all(origin: Origin, timeout: float | None) -> int:
    made = Connection(origin)
    with contextlib.closing(made):
        made.connect(5)
        made.send("GET", "/", {}, b"")
        made.read_head(timeout)
        return sum(map(len, iter(made.read, b"")))


@pytest.mark.usefixtures("watched")
def test_an_answer_is_waited_for_before_it_is_read() -> None:
    peer = Peer(answer)
    assert read_all(peer.origin(), timeout=None) == BODY
    assert Watching.waits > 0
    peer.close()


@pytest.mark.usefixtures("watched")
def test_what_tls_has_unpacked_already_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    server, client = certificates.contexts("localhost")
    monkeypatch.setattr(connection, "_tls", lambda: client)
    peer = Peer(answer, server)
    assert read_all(peer.origin("https"), timeout=None) == BODY
    assert Watching.waits > 0
    peer.close()


@pytest.mark.usefixtures("watched")
def test_a_read_that_has_a_time_out_keeps_it() -> None:
    """The socket's own time-out ends it, not an event that never comes."""
    peer = Peer(lambda opened: opened.sendall(HEAD))
    with pytest.raises(TimeoutError):
        read_all(peer.origin(), timeout=0.2)
    assert Watching.waits == 0
    peer.close()


def test_under_gevent_every_byte_comes_over_tls(tmp_path: Path) -> None:
    server, client = certificates.contexts("localhost")
    trusted = tmp_path / "trusted.pem"
    trusted.write_text("".join(map(ssl.DER_cert_to_PEM_cert, client.get_ca_certs(binary_form=True))))
    peer = Peer(answer, server)
    command = [sys.executable, "-m", "tests.support.tls_reader", str(peer.port)]
    environ = dict(os.environ) | {"SSL_CERT_FILE": str(trusted)}
    told = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=True)
    assert int(told.stdout) == BODY
    peer.close()
