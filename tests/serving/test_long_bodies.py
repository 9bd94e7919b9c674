"""Long requests at the real server: what they take of its memory, at most."""

import base64
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from flask_app.web.long_bodies import ROOM, WITH_IMAGES
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream
from tests.support.served import Served, served

# Each is held as its message and, until the provider has begun, as the request that went out; one is being read.
MOST_TIMES = 2.5


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    settings = {
        "DEEPSEEK_API_KEY": "test-key",
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "CHAT_RATE_LIMIT": "1000/minute",
        "MAX_RUNS_PER_USER": "20",
    }
    with served(tmp_path, **settings) as running:
        running.set_up()
        yield running


def peak(worker: int) -> int:
    """The most memory that it has had, in bytes."""
    (line,) = [line for line in Path(f"/proc/{worker}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.security("bodies-bounded")
def test_long_requests_take_a_bounded_part_of_memory(server: Served, upstream: ScriptedUpstream) -> None:
    """As many of the longest as have room, and some that wait in vain, while their provider is silent."""
    gate = Gate(1)
    upstream.default = Answer("Seen it all.", gate=gate)
    secret = server.post("/api/tokens", {"name": "pictures"}).json()["secret"]
    data = base64.b64encode(os.urandom(WITH_IMAGES * 3 // 4 - 1000)).decode()
    shown = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "这是什么？"}, shown]}]
    replies: list[urllib3.BaseHTTPResponse] = []

    def ask() -> None:
        body: dict[str, Any] = {"model": "deepseek-flash", "messages": messages}
        address, headers = f"{server.base_url}/v1/chat/completions", {"Authorization": f"Bearer {secret}"}
        replies.append(urllib3.request("POST", address, json=body, headers=headers, timeout=60, retries=False))

    (worker,) = server.workers()
    before, room = peak(worker), ROOM // WITH_IMAGES
    programs = [threading.Thread(target=ask) for _ in range(room + 2)]
    for program in programs:
        program.start()
    wait_until(lambda: len(upstream.journal.chats) == room and len(replies) == 2, 30)
    assert [reply.status for reply in replies] == [503, 503]
    assert server.get("/healthz").status == 200
    gate.open()
    for program in programs:
        program.join()
    assert [reply.status for reply in replies[2:]] == [200] * room
    taken = peak(worker) - before
    assert taken < MOST_TIMES * ROOM
    upstream.journal.clear()
    ask()
    assert replies[-1].status == 200, "their places are free again"
