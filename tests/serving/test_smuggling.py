"""Bytes that no client of good will sends, to the real server: each is read in one way, or refused."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.support import smuggled
from tests.support.served import Served, served

BEARERS = [b"'", b"' OR 1=1 --", b"a\x00b", b"\xff\xfe", b"sk-" + b"0" * 1_000_000]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("smuggling")) as running:
        yield running


def said(server: Served, sent: bytes) -> bytes:
    port = int(server.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as opened:
        return smuggled.said(opened, sent)


def host(server: Served) -> str:
    return server.base_url.removeprefix("http://")


def statuses(reply: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", reply)]


def test_a_request_behind_another_is_heard(server: Served) -> None:
    """What the others are asked with is a request, where it stands for itself."""
    assert statuses(said(server, smuggled.two_plain_ones(host(server)))) == [200, 200]


@pytest.mark.security("smuggling")
@pytest.mark.parametrize("name", smuggled.AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_answered_once(server: Served, name: str) -> None:
    reply = said(server, smuggled.request(name, host(server)))
    (status,) = statuses(reply)
    assert 400 <= status < 500 or status == 501, reply
    assert b"start_url" not in reply


@pytest.mark.security("bearer-fuzzed")
@pytest.mark.parametrize("bearer", BEARERS, ids=lambda bearer: repr(bearer[:12]))
def test_a_bearer_of_any_kind_opens_nothing_and_breaks_nothing(server: Served, bearer: bytes) -> None:
    workers = server.workers()
    head = f"GET /v1/models HTTP/1.1\r\nHost: {host(server)}\r\nAuthorization: Bearer ".encode()
    with_connection = head + bearer + b"\r\nConnection: close\r\n\r\n"
    port = int(server.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as opened:
        try:
            reply = smuggled.said(opened, with_connection)
        except (BrokenPipeError, ConnectionResetError):  # it hung up before all of it had come
            reply = b"HTTP/1.1 400 "
    assert statuses(reply) in ([400], [401], [431], []), reply[:200]
    assert server.get("/healthz").status == 200
    assert server.workers() == workers
