"""A client's socket as an outlet: whole chunks in order, never a wait, and silence once the response is over."""

import errno
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from flask_app.web import outlet as outlet_module
from flask_app.web.events import draining
from flask_app.web.outlet import SocketOutlet, has_left
from tests.support import certificates
from tests.support.brokers import PATIENCE

Pair = tuple[socket.socket, socket.socket]

CORKED_SECONDS = 0.2  # the system keeps nothing back for longer


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The server's end, which does not block, and the client's."""
    server, client = socket.socketpair()
    with server, client:
        server.setblocking(False)
        yield server, client


def environ(opened: socket.socket, protocol: str = "HTTP/1.1") -> dict[str, Any]:
    return {"gunicorn.socket": opened, "SERVER_PROTOCOL": protocol}


def opened(pair: Pair) -> SocketOutlet:
    outlet = SocketOutlet.of(environ(pair[0]))
    assert outlet is not None
    outlet.open()
    return outlet


def everything(client: socket.socket, at_least: int = 0) -> bytes:
    """What has come; `at_least` so many bytes are waited for."""
    if at_least:
        client.settimeout(PATIENCE)
        assert client.recv(at_least, socket.MSG_PEEK | socket.MSG_WAITALL)
    client.setblocking(False)
    parts = []
    while True:
        try:
            parts.append(client.recv(1 << 20))
        except BlockingIOError:
            return b"".join(parts)


def test_an_event_goes_out_as_one_chunk(pair: Pair) -> None:
    outlet = opened(pair)
    assert outlet.offer(b"data: hello\n\n")
    assert everything(pair[1]) == b"d\r\ndata: hello\n\n\r\n"
    assert not outlet.is_clogged


def test_nothing_goes_out_before_the_head_or_after_the_end(pair: Pair) -> None:
    outlet = SocketOutlet.of(environ(pair[0]))
    assert outlet is not None
    assert not outlet.offer(b"early")
    outlet.open()
    outlet.close()
    assert not outlet.offer(b"late")
    assert everything(pair[1]) == b""


@pytest.fixture
def line() -> Iterator[Pair]:
    """The same over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
    with server, client:
        server.setblocking(False)
        yield server, client


@pytest.mark.parametrize("step", [SocketOutlet.open, SocketOutlet.close])
def test_the_head_waits_for_the_first_event(line: Pair, step: Callable[[SocketOutlet], None]) -> None:
    outlet = SocketOutlet.of(environ(line[0]))
    assert outlet is not None
    outlet.cork()
    began = time.monotonic()
    line[0].send(b"head")
    line[0].send(b"first")
    early = everything(line[1])
    assert not early or time.monotonic() - began > CORKED_SECONDS
    step(outlet)
    assert early or everything(line[1], 9) == b"headfirst"
    line[0].send(b"at once")
    assert everything(line[1], 7).endswith(b"at once")


def test_a_client_that_has_gone_is_found_out_by_whoever_writes(line: Pair) -> None:
    outlet = SocketOutlet.of(environ(line[0]))
    assert outlet is not None
    line[0].close()
    outlet.cork()
    outlet.close()


def test_a_full_socket_takes_a_part_and_the_rest_follows_before_anything_else(pair: Pair) -> None:
    outlet = opened(pair)
    frames = [bytes([letter]) * 60_000 for letter in b"abcdefghijklmnopqrstuvwxyz"]
    taken = [frame for frame in frames if outlet.offer(frame)]
    assert outlet.is_clogged
    assert 0 < len(taken) < len(frames)
    read = everything(pair[1])
    pair[0].setblocking(True)
    outlet.drain()
    assert outlet.offer(b""), "it is free again"
    whole = read + everything(pair[1])
    assert whole == b"".join(b"%x\r\n%b\r\n" % (len(frame), frame) for frame in [*taken, b""])


def test_a_client_that_left_is_left_to_the_response(pair: Pair) -> None:
    outlet = opened(pair)
    pair[1].close()
    assert not outlet.offer(b"x")


def test_a_closed_socket_s_number_is_not_written_to(pair: Pair) -> None:
    outlet = opened(pair)
    number = pair[0].fileno()
    reader, writer = os.pipe()
    try:
        pair[0].detach()
        os.dup2(writer, number)  # as the system may do, which hands the lowest number out again
        assert not outlet.offer(b"for somebody else")
    finally:
        for each in (reader, writer, number):
            os.close(each)


def test_other_servers_have_none(pair: Pair) -> None:
    assert SocketOutlet.of({"SERVER_PROTOCOL": "HTTP/1.1"}) is None
    assert SocketOutlet.of(environ(pair[0], "HTTP/2.0")) is None
    pair[0].setblocking(True)
    assert SocketOutlet.of(environ(pair[0])) is None


def test_an_older_client_gets_its_events_without_chunks(pair: Pair) -> None:
    outlet = SocketOutlet.of(environ(pair[0], "HTTP/1.0"))
    assert outlet is not None
    outlet.open()
    assert outlet.offer(b"data: hello\n\n")
    outlet.write(b"data: more\n\n")
    assert everything(pair[1]) == b"data: hello\n\ndata: more\n\n"


@pytest.fixture
def encrypted() -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """The two ends of a connection through TLS."""
    served, trusting = certificates.contexts("localhost")
    plain = socket.socketpair()
    ends = list[ssl.SSLSocket]()
    asking = threading.Thread(target=lambda: ends.append(trusting.wrap_socket(plain[1], server_hostname="localhost")))
    asking.start()
    with served.wrap_socket(plain[0], server_side=True) as server:
        asking.join()
        with ends[0] as client:
            server.setblocking(False)
            yield server, client


def test_through_tls_only_the_response_writes(encrypted: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    server, client = encrypted
    outlet = SocketOutlet.of(environ(server))
    assert outlet is not None
    outlet.open()
    assert not outlet.offer(b"past the cipher")
    outlet.write(b"data: hello\n\n")
    assert client.recv(1000) == b"d\r\ndata: hello\n\n\r\n"


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_an_older_client_or_one_with_tls_is_cut_like_others(
    pair: Pair,
    encrypted: tuple[ssl.SSLSocket, ssl.SSLSocket],
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
) -> None:
    monkeypatch.setattr(outlet_module, "STUCK_SECONDS", 0.5)
    outlet = SocketOutlet.of(environ(pair[0] if protocol == "HTTP/1.0" else encrypted[0], protocol))
    assert outlet is not None
    outlet.open()
    began = time.monotonic()
    with pytest.raises(ConnectionResetError, match="too slow"):
        outlet.write(b"x" * (8 << 20))
    assert time.monotonic() - began < PATIENCE


def test_a_response_opens_its_outlet_after_the_head_and_closes_it_at_the_end(pair: Pair) -> None:
    outlet = SocketOutlet.of(environ(pair[0]))
    assert outlet is not None
    frames = draining(iter([b"first", b"second"]), outlet)
    assert next(frames) == b":\n\n"
    assert not outlet.offer(b"x"), "the head is written with the first piece"
    assert next(frames, None) is None
    assert not outlet.offer(b"y")
    assert everything(pair[1]) == b"5\r\nfirst\r\n6\r\nsecond\r\n"


def test_a_response_that_is_dropped_closes_its_outlet(pair: Pair) -> None:
    outlet = SocketOutlet.of(environ(pair[0]))
    assert outlet is not None
    frames = draining(iter([b"first", b"second"]), outlet)
    assert next(frames) == b":\n\n"
    outlet.open()
    cast("Any", frames).close()
    assert not outlet.offer(b"z")
    assert everything(pair[1]) == b""


@pytest.mark.security("slow-clients")
def test_a_reader_that_takes_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet_module, "STUCK_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        server, _ = listener.accept()
        with server:
            server.setblocking(False)
            outlet = SocketOutlet.of(environ(server))
            assert outlet is not None
            outlet.open()
            while outlet.offer(b"x" * 100_000):
                pass
            server.settimeout(2 * PATIENCE)
            with pytest.raises(TimeoutError) as caught:
                server.sendall(b"x" * (8 << 20))
            assert caught.value.errno == errno.ETIMEDOUT, "the system cut it, not the test's own patience"


def test_a_reader_that_takes_a_little_at_a_time_is_cut_as_well(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet_module, "STUCK_SECONDS", 0.5)
    outlet = opened(pair)
    while outlet.offer(b"x" * 1000):
        pass
    is_over = threading.Event()

    def sip() -> None:
        while not is_over.wait(0.02):
            pair[1].recv(1)

    sipping = threading.Thread(target=sip)
    sipping.start()
    try:
        with pytest.raises(ConnectionResetError, match="too slow"):
            outlet.write(b"x" * 500_000)
    finally:
        is_over.set()
        sipping.join()


def test_a_reader_that_takes_its_time_gets_all(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet_module, "STUCK_SECONDS", 4)
    outlet = opened(pair)
    read = bytearray()

    def sip() -> None:
        while len(read) < 1_800_010:
            time.sleep(0.2)
            read.extend(pair[1].recv(64 * 1024))

    sipping = threading.Thread(target=sip)
    sipping.start()
    began = time.monotonic()
    outlet.write(b"x" * 1_800_000)
    took = time.monotonic() - began
    sipping.join()
    assert took > 4, "longer than the patience for a piece"
    assert read == b"1b7740\r\n" + b"x" * 1_800_000 + b"\r\n"


def test_a_client_has_left_once_its_connection_is_closed_and_no_sooner(pair: Pair) -> None:
    server, client = pair
    server.settimeout(7)
    assert not has_left(environ(server))
    client.sendall(b"its next request")
    assert not has_left(environ(server))
    assert server.recv(100) == b"its next request", "looking takes nothing away"
    client.close()
    assert has_left(environ(server))
    assert server.gettimeout() == 7
    assert not has_left({}), "a server that shows no socket says nothing"
