"""More answers at once than are read whenever something comes: each is whole, and what came together goes out so."""

import http.client
import threading
from collections.abc import Iterator

import msgspec
import pytest

from bench import measure, servers
from bench.load import _request, heads_of
from bench.plan import Plan
from bench.report import Ledger
from bench.servers import Server
from flask_app.upstream.turns import MANY

TOKENS, RATE = 60, 20.0
LINE_BYTES = 1 << 16


@pytest.fixture
def provider() -> Iterator[Server]:
    with servers.upstream(RATE) as running:
        yield running


@pytest.fixture
def server(provider: Server) -> Iterator[Server]:
    with servers.mingchat(provider) as running:
        yield running


def plan(server: Server, **terms: float) -> Plan:
    known = {"port": server.port, "kind": "gateway", "tokens": TOKENS, "rate": RATE}
    account = {"username": servers.USERNAME, "password": servers.PASSWORD}
    return msgspec.convert(known | account | terms, Plan)


def pieces_of(server: Server) -> int:
    """In how many pieces one answer comes."""
    asked = plan(server, streams=1)
    request = _request(asked, heads_of(asked)[0], "a0").partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in request[0].decode().split("\r\n")[1:])
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/v1/chat/completions", request[2], lines)
    response = connection.getresponse()
    assert response.status == 200
    assert response.fp is not None
    count = 0
    while size := int(response.fp.readline(LINE_BYTES), 16):
        response.fp.read(size + 2)
        count += 1
    connection.close()
    return count


def test_many_answers_at_once_are_each_whole_and_come_in_larger_pieces(server: Server, provider: Server) -> None:
    met: list[int] = []

    def look() -> None:
        threading.Event().wait(TOKENS / RATE + 1)
        met.append(pieces_of(server))

    beside = threading.Thread(target=look)
    beside.start()
    load = measure.steady(plan(server, streams=MANY + 20, seconds=6.0), server, provider).load
    beside.join()
    assert load.faults == {}
    assert load.answers > MANY
    assert met[0] < TOKENS * 0.8
    assert Ledger.compare(measure.ledger(server), provider.get("/stats")).apart == 0
