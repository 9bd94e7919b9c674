"""A connection through TLS: it carries answers, ends when it is shut down, and trusts nobody without a certificate."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from flask_app.upstream import connection
from flask_app.upstream.connection import Connection, Origin
from flask_app.upstream.idle import Idle
from flask_app.upstream.response import BrokenResponse
from tests.support import certificates
from tests.support.brokers import PATIENCE
from tests.support.peers import CHUNKED, Peer, asked, body_of, to


@pytest.fixture
def tls_peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    server, client = certificates.contexts("localhost")
    monkeypatch.setattr(connection, "_tls", lambda: client)
    listening = Peer(lambda opened: opened.sendall(CHUNKED + b"2\r\nok\r\n0\r\n\r\n"), server)
    yield listening
    listening.close()


def test_tls_carries_answers_and_its_connection_serves_again(tls_peer: Peer) -> None:
    idle, origin = Idle(), tls_peer.origin("https")
    made = asked(origin)
    assert body_of(made) == b"ok"
    idle.give(made)
    again = idle.take(origin)
    assert again is made
    again.send("GET", "/", {}, b"")
    again.read_head(PATIENCE)
    assert body_of(again) == b"ok"


def test_tls_can_be_shut_down_while_it_is_read(tls_peer: Peer) -> None:
    made = asked(tls_peer.origin("https"), timeout=None)
    made.read()
    made.response.is_complete = False  # as if more were to come
    threading.Timer(0.1, made.shutdown).start()
    with pytest.raises((BrokenResponse, OSError)):
        made.read()


def test_tls_can_be_shut_down_before_its_host_says_anything() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        contextlib.closing(
            Connection(Origin("https", "localhost", mute.getsockname()[1], allow_insecure=True))
        ) as made,
    ):
        threading.Timer(0.2, made.shutdown).start()
        began = time.monotonic()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            made.connect(60)
        assert time.monotonic() - began < PATIENCE


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    server, _ = certificates.contexts("localhost")
    listening = Peer(lambda opened: opened.sendall(CHUNKED), server)
    with pytest.raises(ssl.SSLCertVerificationError):
        to(listening.origin("https"))
    listening.close()


def test_a_certificate_of_another_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    server, client = certificates.contexts("elsewhere.example")
    monkeypatch.setattr(connection, "_tls", lambda: client)
    listening = Peer(lambda opened: opened.sendall(CHUNKED), server)
    with pytest.raises(ssl.SSLCertVerificationError):
        to(listening.origin("https"))
    listening.close()
