"""Whatever somebody sends to the gateway of the real server: it is answered or refused in words, and never our fault.

The suite sends some; `make fuzz-gateway` sends a hundred thousand.
"""

import http.client
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.fuzzed_requests import BODIES, READ, Fuzzed, FuzzedRequests
from tests.support.scripted_upstream import Answer, Continued, Embedded, ScriptedUpstream
from tests.support.served import Served, served
from tests.support.upstream_completions import COMPLETIONS
from tests.support.upstream_embeddings import EMBEDDINGS

REQUESTS = int(os.environ.get("GATEWAY_FUZZED", "1500"))
SEED = int(os.environ.get("GATEWAY_SEED", "1"))
AT_ONCE = 4
WITHOUT_LIMIT = {kind: {"amount": None} for kind in ("messages", "requests", "visits")}


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        running.default = Answer("Well.")
        running.script(Continued("well"), path=COMPLETIONS, always=True)
        running.script(Embedded(), path=EMBEDDINGS, always=True)
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    settings = {
        "DEEPSEEK_API_KEY": "test-key",
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "MAX_RUNS_PER_USER": "100",
    }
    with served(tmp_path, **settings) as running:
        running.set_up()
        assert running.ask("PUT", "/api/admin/rates/site", WITHOUT_LIMIT).status == 200
        yield running


class Sender:
    """Sends what it is given, AT_ONCE at a time, and counts what comes; what is wrong is kept."""

    def __init__(self, base_url: str, requests: FuzzedRequests) -> None:
        self._host, self._requests = urlsplit(base_url).netloc, requests
        self._lock = threading.Lock()
        self.seen, self.wrong = Counter[tuple[str, int]](), list[str]()

    def send(self, count: int) -> None:
        left = iter(range(count))

        def keep_sending() -> None:
            line = http.client.HTTPConnection(self._host, timeout=60)
            while True:
                with self._lock:
                    if next(left, None) is None:
                        break
                    request = self._requests.next()
                self._send(line, request)
            line.close()

        threads = [threading.Thread(target=keep_sending) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, line: http.client.HTTPConnection, request: Fuzzed) -> None:
        headers = {name: value.encode("utf-8").decode("latin-1") for name, value in request.headers.items()}
        try:
            line.request(request.method, request.path, request.body, headers)
            reply = line.getresponse()
            content = reply.read()
        except (http.client.HTTPException, OSError) as error:
            line.close()
            fault = f"no reply: {error!r}"
        else:
            self.seen[request.path, reply.status] += 1
            fault = judged(request, reply.status, reply.headers.get_content_type(), content)
        if fault:
            self.wrong.append(f"{fault}\n{request}\n")


def judged(request: Fuzzed, status: int, kind: str, content: bytes) -> str:
    """What is wrong with the reply; nothing where nothing is."""
    if status >= 500:
        return f"{status} {content[:500]!r}"
    if not request.opens and status < 300 and request.method != "OPTIONS":
        return f"{status} without a token"
    if kind == "text/event-stream":
        lines = content.split(b"\n")
        failed = [line for line in lines if line.startswith(b"data: {") and b'"error"' in line[:60]]
        return f"broke off: {failed[0][:300]!r}" if failed else ""
    if status < 400 or request.method == "HEAD":
        return ""
    told = kind == "application/json" and is_told(json.loads(content), in_messages=request.speaks_messages)
    return "" if told else f"{status} {content[:500]!r}"


def is_told(refusal: Any, *, in_messages: bool) -> bool:
    """In the shape that the path's clients know."""
    names = {"type", "message"} if in_messages else {"message", "type", "code", "param"}
    return set(refusal["error"]) == names and (refusal.get("type") == "error") == in_messages


@pytest.mark.security("fields-that-crash")
def test_nothing_that_is_sent_is_a_fault_of_ours(server: Served, upstream: ScriptedUpstream) -> None:
    token = server.post("/api/tokens", {"name": "fuzzed"}).json()["secret"]
    sender, workers = Sender(server.base_url, FuzzedRequests(token, SEED)), server.workers()
    sender.send(REQUESTS)
    assert not sender.wrong, f"{len(sender.wrong)} of {REQUESTS}: " + "\n".join(sender.wrong[:5])
    assert sum(sender.seen.values()) == REQUESTS
    for path in BODIES:
        for status, what in ((200, "requests"), (401, "tokens"), (400, "bodies")):
            assert sender.seen[path, status], f"some {what} of {path} must have been so"
    for status in (200, 401):
        assert sum(sender.seen[path, status] for path in READ), "lists must have been asked for"
    assert server.workers() == workers, "no worker has died"
    server.assert_sound_ledger()
