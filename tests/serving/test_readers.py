"""Readers of every kind under the real server: each gets the whole answer, and none keeps another waiting."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.brokers import PATIENCE
from tests.support.events import events_of, text_of
from tests.support.scripted_upstream import Received, ScriptedUpstream
from tests.support.served import Served, served
from tests.support.upstream_answers import Answer, chunk
from tests.support.upstream_reply import Reply

PIECES = [f"{number} " * 1500 for number in range(600)]  # more than any socket's buffers hold
SHORT = "a few words"
HOLD_SECONDS = 3


class _Flood:
    """An answer in large pieces, as fast as they are taken."""

    def play(self, reply: Reply, request: Received) -> None:
        reply.open_stream()
        for piece in PIECES:
            reply.event(chunk(request.model, 1, {"content": piece}))
        reply.event(chunk(request.model, 1, {}, "stop"))
        reply.event(b"[DONE]")
        reply.finish()


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    settings = {"DEEPSEEK_BASE_URL": upstream.base_url, "ALLOW_INSECURE_UPSTREAMS": "1"}
    settings["MAX_ANSWER_TOKENS"] = "300000"  # the flood is one answer
    with served(tmp_path, DEEPSEEK_API_KEY="test-key", **settings) as running:
        running.set_up()
        yield running


def ask(server: Served, protocol: str) -> socket.socket:
    """Send a message over a socket that holds little of the reply."""
    host, port = server.base_url.removeprefix("http://").split(":")
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.connect((host, int(port)))
    body = json.dumps({"message": "go"})
    headers = {"Host": f"{host}:{port}", "Origin": server.base_url, "Content-Type": "application/json"}
    headers |= server.headers | {"Content-Length": str(len(body)), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    opened.sendall(f"POST /api/chat {protocol}\r\n{head}\r\n{body}".encode())
    return opened


def whole(opened: socket.socket) -> tuple[str, bytes]:
    """Head and body of the reply, once the server has closed."""
    parts = list[bytes]()
    while part := opened.recv(65536):
        parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return head.decode().lower(), body


def dechunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    while True:
        size, _, body = body.partition(b"\r\n")
        if not (length := int(size, 16)):
            return b"".join(parts)
        parts.append(body[:length])
        assert body[length : length + 2] == b"\r\n"
        body = body[length + 2 :]


@pytest.mark.security("slow-clients")
def test_one_that_stops_reading_gets_everything_later_and_keeps_nobody_waiting(
    server: Served, upstream: ScriptedUpstream
) -> None:
    upstream.script(_Flood())
    upstream.script(Answer(SHORT))
    with ask(server, "HTTP/1.1") as slow:
        time.sleep(HOLD_SECONDS)
        began = time.monotonic()
        told = [data["text"] for name, data in server.chat("hello") if name == "token"]
        assert "".join(told) == SHORT
        assert time.monotonic() - began < PATIENCE
        head, body = whole(slow)
    assert "transfer-encoding: chunked" in head
    events = events_of(dechunked(body))
    assert text_of(events) == "".join(PIECES)
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert events[-1].name == "done"


def test_an_old_client_gets_a_body_without_chunks(server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer(SHORT, tokens_per_second=20))
    with ask(server, "HTTP/1.0") as opened:
        head, body = whole(opened)
    assert "transfer-encoding" not in head
    assert text_of(events_of(body)) == SHORT


def test_one_that_leaves_ends_nothing(server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer(SHORT * 10, tokens_per_second=20))
    with ask(server, "HTTP/1.1") as opened:
        begun = b""
        while b'"run_id"' not in begun:
            begun += opened.recv(2000)
    run_id = json.loads(begun.partition(b"data: ")[2].split(b"\n")[0])["run_id"]
    followed = server.get(f"/api/runs/{run_id}/events").data
    assert text_of(events_of(followed)) == SHORT * 10
