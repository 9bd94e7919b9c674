"""An answer that waits for its turns: each of them takes all that has come, in however many pieces it came."""

import selectors
import socket
import threading
from collections.abc import Callable

import pytest

from flask_app.upstream import connection
from flask_app.upstream.connection import READ_BYTES, Connection
from flask_app.upstream.response import BrokenResponse
from flask_app.upstream.turns import Turns
from tests.support import certificates
from tests.support.brokers import PATIENCE
from tests.support.peers import Peer

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WORDS = [b"word %d " % number for number in range(200)]
LONG = [b"x" * READ_BYTES] * 3


class Timer:
    def start(self, call: Callable[[], object]) -> None:
        """Nothing comes of it."""

    def stop(self) -> None:
        """As little."""


class Crowded:
    """Watches a socket among many; `sent` is set once all has come, and `looks` counts from then on."""

    sent = threading.Event()
    looks = 0

    def __init__(self, opened: socket.socket) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(opened.fileno(), selectors.EVENT_READ)
        self.receive, self.turns = opened.recv, Turns(Timer())
        self.turns.are_taken = True

    def each(self, look: Callable[[], bool]) -> None:
        assert Crowded.sent.wait(PATIENCE)
        goes_on = True
        while goes_on:
            assert self._selector.select(PATIENCE), "nothing more comes"
            Crowded.looks += 1
            goes_on = look()

    def close(self) -> None:
        self._selector.close()


@pytest.fixture(autouse=True)
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_watcher", Crowded)
    monkeypatch.setattr(Crowded, "looks", 0)
    monkeypatch.setattr(Crowded, "sent", threading.Event())


def heard(scheme: str, pieces: list[bytes], end: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[list[bytes], bool]:
    """What a reader is given, and whether the answer was whole."""

    def talk(opened: socket.socket) -> None:
        opened.sendall(HEAD)
        for piece in pieces:
            opened.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        opened.sendall(end)
        if not end:
            opened.shutdown(socket.SHUT_RDWR)
        Crowded.sent.set()

    server, client = certificates.contexts("localhost")
    monkeypatch.setattr(connection, "_tls", lambda: client)
    peer = Peer(talk, server if scheme == "https" else None)
    made, given = Connection(peer.origin(scheme)), list[bytes]()

    def take(data: bytes) -> bool:
        given.append(data)
        return bool(data)

    try:
        made.connect(PATIENCE)
        made.send("GET", "/", {}, b"")
        made.read_head(PATIENCE)
        made.read_each(take)
    except BrokenResponse:
        return given, False
    finally:
        made.close()
        peer.close()
    return given, True


@pytest.mark.parametrize(("scheme", "pieces"), [("http", WORDS), ("https", WORDS), ("https", LONG)])
def test_one_turn_takes_all_that_has_come(scheme: str, pieces: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    given, is_whole = heard(scheme, pieces, b"0\r\n\r\n", monkeypatch)
    assert is_whole
    assert b"".join(given) == b"".join(pieces)
    assert Crowded.looks <= 3, "one, but for what had no room on its way"
    assert len(given) <= 6


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_came_before_a_break_is_given(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, is_whole = heard(scheme, WORDS, b"", monkeypatch)
    assert not is_whole
    assert b"".join(given) == b"".join(WORDS)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_one_turn_takes_no_more_than_others_can_wait_for(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TURN_BYTES", READ_BYTES)
    given, is_whole = heard(scheme, LONG, b"0\r\n\r\n", monkeypatch)
    assert is_whole
    assert b"".join(given) == b"".join(LONG)
    assert len(given) > 2
