"""A connection to a provider, against a socket that says exactly what a test wants to hear."""

import socket
import threading
import time

import pytest

from flask_app.errors import UpstreamError
from flask_app.upstream import idle
from flask_app.upstream.connection import Connection
from flask_app.upstream.idle import Idle
from flask_app.upstream.response import BrokenResponse
from tests.support.brokers import PATIENCE, wait_until
from tests.support.peers import CHUNKED, Peer, Talk, asked, body_of, peer, read_on, to


@pytest.mark.parametrize(
    ("parts", "body", "reusable"),
    [
        ((CHUNKED, b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), b"hello world", True),
        ((CHUNKED + b"5\r\nhel", b"lo\r", b"\n0\r\n", b"\r\n"), b"hello", True),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",), b"hello", True),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",), b"hello", False),
        ((b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + CHUNKED, b"2\r\nok\r\n0\r\n\r\n"), b"ok", True),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",), b"", True),
    ],
)
def test_a_body_is_read_however_it_is_cut(parts: tuple[bytes, ...], body: bytes, reusable: bool) -> None:
    with peer(*parts) as listening:
        made = asked(listening.origin())
        assert made.response.status == 200
        assert "x" not in made.response.headers
        assert body_of(made) == body
        assert made.response.is_reusable is reusable


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    with peer(b"HTTP/1.1 200 OK\r\n\r\nall there is", closes=True) as listening:
        made = asked(listening.origin())
        assert body_of(made) == b"all there is"
        assert not made.response.is_reusable


@pytest.mark.parametrize(
    "said",
    [
        CHUNKED + b"5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"<html>not HTTP</html>",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"zz\r\nhello\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 0123456789\r\n" * 10_000,
    ],
)
def test_what_breaks_off_or_is_no_http_is_said_to_be_broken(said: bytes) -> None:
    with peer(said, closes=True) as listening, pytest.raises((BrokenResponse, ConnectionResetError)):
        body_of(asked(listening.origin()))


def test_what_came_before_a_fault_is_given_first() -> None:
    with peer(CHUNKED + b"5\r\nhello\r\nzz\r\n") as listening:
        made = asked(listening.origin())
        assert made.read() == b"hello"
        with pytest.raises(BrokenResponse):
            made.read()


def test_more_than_the_response_makes_a_connection_useless() -> None:
    with peer(CHUNKED + b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n") as listening, pytest.raises(BrokenResponse):
        body_of(asked(listening.origin()))


def flooding(*, begins: bytes, piece: bytes) -> Talk:
    """Sends a word of an answer, and then what is no part of it, without end."""

    def talk(opened: socket.socket) -> None:
        opened.sendall(CHUNKED + b"2\r\nok\r\n" + begins)
        while True:
            opened.sendall(piece)

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        flooding(begins=b"0\r\n", piece=b"X-Trailer: 0123456789\r\n" * 1000),
        flooding(begins=b"0\r\nX-Trailer: ", piece=b"x" * 20_000),
        flooding(begins=b"5;", piece=b"x" * 20_000),
    ],
)
def test_what_comes_beside_the_body_is_bounded(talk: Talk) -> None:
    listening = Peer(talk)
    made = asked(listening.origin())
    assert made.read() == b"ok"
    with pytest.raises(BrokenResponse):
        made.read()
    listening.close()


def test_a_head_that_does_not_come_times_out() -> None:
    with peer(b"HTTP/1.1 200") as listening, pytest.raises(TimeoutError):
        asked(listening.origin(), timeout=0.1)


def test_a_line_end_cannot_be_put_into_a_header() -> None:
    with peer(CHUNKED) as listening:
        made = to(listening.origin())
        with pytest.raises(ValueError, match="line end"):
            made.send("GET", "/", {"Authorization": "Bearer x\r\nHost: elsewhere"}, b"")


@pytest.mark.parametrize("said", [b"", CHUNKED])
def test_shutting_it_down_wakes_whoever_waits_for_the_head_or_the_body(said: bytes) -> None:
    with peer(said) as listening:
        made = to(listening.origin())
        made.send("GET", "/", {}, b"")
        threading.Timer(0.1, made.shutdown).start()
        began = time.monotonic()
        with pytest.raises((BrokenResponse, OSError)):
            read_on(made)
        assert time.monotonic() - began < 30


def test_a_connection_that_was_shut_down_does_not_open() -> None:
    with peer(CHUNKED) as listening:
        made = Connection(listening.origin())
        made.shutdown()
        with pytest.raises(ConnectionAbortedError):
            made.connect(5)


def test_a_host_of_this_machine_is_refused_where_that_is_not_allowed() -> None:
    with peer(CHUNKED) as listening, pytest.raises(UpstreamError) as caught:
        to(listening.origin(allow_insecure=False))
    assert caught.value.code == "upstream_address_private"


def test_idle_connections_serve_again_the_last_first() -> None:
    with peer(CHUNKED + b"0\r\n\r\n") as listening:
        idle, origin = Idle(), listening.origin()
        first, second = asked(origin), asked(origin)
        for made in (first, second):
            body_of(made)
            idle.give(made)
        assert idle.take(origin) is second
        assert idle.take(origin) is first
        assert idle.take(origin) is None


def test_idle_connections_are_closed_all_at_once() -> None:
    with peer(CHUNKED + b"0\r\n\r\n") as listening:
        idle, made = Idle(), [asked(listening.origin()) for _ in range(2)]
        for each in made:
            body_of(each)
            idle.give(each)
        idle.close()
        assert idle.take(listening.origin()) is None
        for each in made:
            with pytest.raises(OSError, match="Bad file descriptor"):
                each.is_silent()


@pytest.mark.parametrize("after", [b"unasked", None])
def test_an_idle_connection_that_ended_or_spoke_is_not_used(after: bytes | None) -> None:
    is_idle = threading.Event()

    def talk(opened: socket.socket) -> None:
        opened.sendall(CHUNKED + b"0\r\n\r\n")
        is_idle.wait(PATIENCE)
        opened.sendall(after) if after else opened.shutdown(socket.SHUT_RDWR)

    listening = Peer(talk)
    made, idle = asked(listening.origin()), Idle()
    body_of(made)
    idle.give(made)
    is_idle.set()
    wait_until(lambda: not made.is_silent())
    assert idle.take(listening.origin()) is None
    listening.close()


def test_idle_connections_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "MAX_IDLE", 2)
    with peer(CHUNKED + b"0\r\n\r\n") as listening:
        kept = Idle()
        for made in [asked(listening.origin()) for _ in range(4)]:
            body_of(made)
            kept.give(made)
        assert len(kept) == 2
        monkeypatch.setattr(idle, "IDLE_FOR_SECONDS", 0)
        assert kept.take(listening.origin()) is None
        assert len(kept) == 0


def test_a_connection_that_serves_again_takes_a_body_larger_than_its_buffers() -> None:
    has_body = threading.Event()

    def talk(opened: socket.socket) -> None:
        while has_body.is_set() and not opened.recv(1 << 18).endswith(b"."):  # slower than it is sent
            pass
        opened.sendall(CHUNKED + b"2\r\nok\r\n0\r\n\r\n")

    listening, idle = Peer(talk), Idle()
    made = asked(listening.origin())
    body_of(made)
    has_body.set()
    idle.give(made)
    again = idle.take(listening.origin())
    assert again is made
    again.send("POST", "/", {}, b"x" * (32 << 20) + b".")
    again.read_head(PATIENCE)
    assert body_of(again) == b"ok"
    listening.close()
