"""Programs that ask the real server all there is to ask, and meet all there is to meet, many at once.

Each request has an id of its own (the server believes its proxy, which we are) and says what its provider shall do.
What its program was told is compared with the log's row, the attempts, the ledger and the provider's journal.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import urllib3

from flask_app.database import new_id
from tests.support.scripted_upstream import Answer, ErrorEvent, Raw, Received, Script, Stall, Status
from tests.support.upstream_reply import Reply

AT_ONCE = 8
LEAVES_AFTER = 0.5  # seconds
ENDLESS = "endless"
SCRIPTS: dict[str, Script] = {
    "answer": Answer("well done, and so it is"),
    "uncounted": Answer("well done", tells_usage=False),
    "thoughtful": Answer("well", thinking="hm, hm"),
    "cut": Answer("a longer answer " * 20, cut_at=900),
    "fault": ErrorEvent(after="It began"),
    "garbage": Raw(after="It began"),
    "rejected": Status(400),
    "failing": Status(500),
    "busy": Status(429),
    "silent": Stall(),
    ENDLESS: Answer("word " * 20_000, tokens_per_second=50),
    "stays": Answer("word " * 20_000, tokens_per_second=50),
}
# How often each is asked for, of a hundred.
ASKED = {
    "answer": 30,
    "uncounted": 5,
    "thoughtful": 5,
    "cut": 8,
    "fault": 5,
    "garbage": 5,
    "rejected": 6,
    "failing": 2,
    "busy": 1,
    "silent": 1,
    ENDLESS: 10,
}
REFUSED = {"unknown model": 6, "bad field": 5, "no JSON": 3, "models": 4, "no address": 2, "count": 2}


class Obliging:
    """A provider that does what the question asks for."""

    def play(self, reply: Reply, request: Received) -> None:
        SCRIPTS[str(request.body["messages"][-1]["content"])].play(reply, request)


@dataclass
class Asked:
    """A request; `status` and `code` are what its program was told, None where it left before. `length` is of a body
    that it read to its end."""

    id: str
    kind: str
    is_stream: bool = False
    speaks_messages: bool = False
    status: int | None = None
    code: str | None = None
    length: int | None = None

    @property
    def leaves(self) -> bool:
        return self.kind == ENDLESS


class Programs:
    """Ask at `base_url` with these tokens, in the order that the seed draws."""

    def __init__(self, base_url: str, secrets: list[str], seed: int) -> None:
        self._base_url, self._secrets, self._random = base_url, secrets, Random(seed)
        self._pool = urllib3.PoolManager(retries=False, maxsize=AT_ONCE, timeout=60)
        self.asked: list[Asked] = []

    def ask(self, count: int) -> list[Asked]:
        """So many, AT_ONCE at a time; returns when all have ended."""
        drawn = [self._drawn() for _ in range(count)]
        self.asked += drawn
        waiting = iter(drawn)
        lock = threading.Lock()

        def next_one() -> Asked | None:
            with lock:
                return next(waiting, None)

        def keep_asking() -> None:
            while (each := next_one()) is not None:
                self.send(each)

        threads = [threading.Thread(target=keep_asking) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return drawn

    def _drawn(self) -> Asked:
        kinds = ASKED | REFUSED
        (kind,) = self._random.choices(list(kinds), list(kinds.values()))
        stream, messages = self._random.random() < 0.6, self._random.random() < 0.3
        return Asked(new_id(), kind, is_stream=stream, speaks_messages=messages)

    def send(self, asked: Asked) -> None:
        method, path, body = _request(asked)
        headers = {"Authorization": f"Bearer {self._secrets[int(asked.id[-1], 36) % len(self._secrets)]}"}
        headers |= {"X-Request-ID": asked.id, "Content-Type": "application/json"}
        patience = urllib3.Timeout(connect=30, read=LEAVES_AFTER) if asked.leaves and not asked.is_stream else None
        try:
            reply = self._pool.request(
                method, self._base_url + path, body=body, headers=headers, preload_content=False, timeout=patience or 60
            )
            self._hear(asked, reply)
        except (urllib3.exceptions.HTTPError, OSError):
            assert asked.leaves, f"the line broke: {asked}"

    def _hear(self, asked: Asked, reply: urllib3.BaseHTTPResponse) -> None:
        asked.status = reply.status
        if asked.leaves and asked.is_stream and reply.status == 200:
            reply.read1(1)
            reply.close()
            return
        content = reply.read()
        asked.length = len(content)
        asked.code = _code(content)
        reply.release_conn()


def _request(asked: Asked) -> tuple[str, str, bytes | None]:
    path = "/v1/messages" if asked.speaks_messages else "/v1/chat/completions"
    if asked.kind == "models":
        return "GET", "/v1/models", None
    if asked.kind == "no address":
        return "GET", "/v1/files", None
    if asked.kind == "no JSON":
        return "POST", path, b"{"
    if asked.kind == "count":
        body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "hello"}]}
        return "POST", "/v1/messages/count_tokens", json.dumps(body).encode()
    fields: dict[str, Any] = {
        "model": "gpt-0" if asked.kind == "unknown model" else "deepseek-flash",
        "messages": [{"role": "user", "content": asked.kind}],
        "stream": asked.is_stream,
        "max_tokens": 1000,
    }
    if asked.kind == "bad field":
        fields["temperature"] = 9
    return "POST", path, json.dumps(fields).encode()


def _code(content: bytes) -> str | None:
    """The last failure that OpenAI's clients are told, where there is one."""
    for line in reversed(list(_objects(content))):
        if isinstance(line.get("error"), dict):
            return str(line["error"].get("code") or line["error"]["type"])
    return None


def _objects(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.split(b"\n"):
        text = line.removeprefix(b"data: ")
        if text.startswith(b"{"):
            yield json.loads(text)
