"""Programs that ask the real server all there is to ask, and meet all there is to meet, many at once.

Each request has an id of its own (the server believes its proxy, which we are) and says what its provider shall do.
Some come under an `Idempotency-Key`, and are sent again, perhaps while the first is still being answered.
What its program was told is compared with the log's row, the attempts, the ledger and the provider's journal.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import urllib3

from flask_app.database import new_id
from tests.support.scripted_upstream import (
    Answer,
    Continued,
    Embedded,
    ErrorEvent,
    Raw,
    Received,
    Script,
    Stall,
    Status,
)
from tests.support.upstream_choices import Several
from tests.support.upstream_completions import COMPLETIONS
from tests.support.upstream_embeddings import EMBEDDINGS
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
# The same where another call of the provider's is asked; what is not here goes wrong in the same way.
TEXTS: dict[str, Script] = {
    "answer": Continued("well done, and so it is"),
    "uncounted": Continued("well done", tells_usage=False),
    "thoughtful": Continued("well"),
    "cut": Continued("a longer text " * 20, breaks=True),
    ENDLESS: Continued("word " * 20_000, tokens_per_second=50),
}
CHOICES: dict[str, Script] = {
    "answer": Several("well done, and so it is"),
    "uncounted": Several("well done", tells_usage=False),
    "cut": Several("a longer answer " * 20, cut_at=900),
}
VECTORS: dict[str, Script] = {
    "answer": Embedded(),
    "uncounted": Embedded(tells_usage=False),
    "thoughtful": Embedded(actual_model="embed-2"),
    "cut": Embedded(cut_at=40),
    "fault": Embedded(junk=b"{"),
    "garbage": Embedded(count=7),
    ENDLESS: Stall(),
}
SCRIPTS_OF = {COMPLETIONS: SCRIPTS | TEXTS, EMBEDDINGS: SCRIPTS | VECTORS}
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
PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "texts": "/v1/completions",
    "vectors": "/v1/embeddings",
}
CALLS = {"chat": 40, "messages": 25, "responses": 20, "texts": 8, "vectors": 7}
SENT_AGAIN = 0.15  # of what can be
SEVERAL = 0.3  # of chats: as many answers at once as one of COUNTS
COUNTS = (2, 3, 8)
REFUSED = {"unknown model": 6, "bad field": 5, "no JSON": 3, "models": 4, "no address": 2, "count": 2}


class Obliging:
    """A provider that does what the question asks for."""

    def play(self, reply: Reply, request: Received) -> None:
        asked = request.body.get("prompt") or request.body.get("input") or request.body["messages"][-1]["content"]
        of_chats = SCRIPTS | (CHOICES if "n" in request.body else {})
        SCRIPTS_OF.get(request.path, of_chats)[str(asked)].play(reply, request)


@dataclass
class Asked:
    """A request by one of CALLS; `status` and `code` are what its program was told, None where it left before.

    `length` is of a body that it read to its end, which had answers of so many `numbers`. `key` is what it is sent
    again under; `replayed`: it got the same reply.
    """

    id: str
    kind: str
    is_stream: bool = False
    call: str = "chat"
    n: int = 1
    key: str | None = None
    status: int | None = None
    code: str | None = None
    length: int | None = None
    numbers: int = 0
    replayed: bool = False

    @property
    def speaks_messages(self) -> bool:
        return self.call == "messages" or self.kind == "count"

    @property
    def leaves(self) -> bool:
        return self.kind == ENDLESS


class Programs:
    """Ask at `base_url` with these tokens, in the order that the seed draws."""

    def __init__(self, base_url: str, secrets: list[str], seed: int) -> None:
        self._base_url, self._secrets = base_url, secrets
        self._random, self._counts = Random(seed), Random(seed)
        self._pool = urllib3.PoolManager(retries=False, maxsize=AT_ONCE, timeout=60)
        self.asked: list[Asked] = []

    def ask(self, count: int) -> list[Asked]:
        """So many, AT_ONCE at a time; returns when all have ended."""
        drawn = self._drawn(count)
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

    def _drawn(self, count: int) -> list[Asked]:
        """So many; some of them again under the same key, at once or later."""
        drawn = [self._drawn_one() for _ in range(count)]
        again = [(place, each) for place, each in enumerate(drawn) if each.key]
        for place, each in reversed(again):
            drawn.insert(place + 1 + self._random.choice((0, AT_ONCE * 5)), replace(each, id=new_id()))
        return drawn[:count]

    def _drawn_one(self) -> Asked:
        kinds = ASKED | REFUSED
        (kind,) = self._random.choices(list(kinds), list(kinds.values()))
        (call,) = self._random.choices(list(CALLS), list(CALLS.values()))
        stream = call != "vectors" and self._random.random() < 0.6
        key = new_id() if kind in ASKED and kind != ENDLESS and self._random.random() < SENT_AGAIN else None
        n = self._counts.choice(COUNTS) if call == "chat" and self._counts.random() < SEVERAL else 1
        return Asked(new_id(), kind, is_stream=stream, call=call, n=n, key=key)

    def send(self, asked: Asked) -> None:
        method, path, body = _request(asked)
        whose = int((asked.key or asked.id)[-1], 36) % len(self._secrets)
        headers = {"Authorization": f"Bearer {self._secrets[whose]}"}
        headers |= {"X-Request-ID": asked.id, "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": asked.key} if asked.key else {}
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
        asked.length, asked.replayed = len(content), "Idempotent-Replayed" in reply.headers
        asked.code, asked.numbers = _code(content), len(_numbers(content))
        reply.release_conn()


def _request(asked: Asked) -> tuple[str, str, bytes | None]:
    path = PATHS[asked.call]
    if asked.kind == "models":
        return "GET", "/v1/models", None
    if asked.kind == "no address":
        return "GET", "/v1/files", None
    if asked.kind == "no JSON":
        return "POST", path, b"{"
    if asked.kind == "count":
        body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "hello"}]}
        return "POST", "/v1/messages/count_tokens", json.dumps(body).encode()
    fields = {"model": "gpt-0" if asked.kind == "unknown model" else "deepseek-flash"} | _question(asked)
    if asked.kind == "bad field":
        fields["temperature"] = 9
    return "POST", path, json.dumps(fields).encode()


def _question(asked: Asked) -> dict[str, Any]:
    stream = {"stream": asked.is_stream}
    match asked.call:
        case "vectors":
            return {"input": asked.kind}
        case "texts":
            return stream | {"prompt": asked.kind, "max_tokens": 1000}
        case "responses":
            return stream | {"input": asked.kind, "max_output_tokens": 1000}
    several = {"n": asked.n} if asked.n > 1 else {}
    return stream | several | {"messages": [{"role": "user", "content": asked.kind}], "max_tokens": 1000}


def _code(content: bytes) -> str | None:
    """The last failure that OpenAI's clients are told, where there is one."""
    for line in reversed(list(_objects(content))):
        if isinstance(line.get("error"), dict):
            return str(line["error"].get("code") or line["error"]["type"])
    return None


def _numbers(content: bytes) -> set[int]:
    """Of the answers that are in a reply for OpenAI's clients."""
    return {choice["index"] for each in _objects(content) for choice in each.get("choices", ())}


def _objects(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.split(b"\n"):
        text = line.removeprefix(b"data: ")
        if text.startswith(b"{"):
            yield json.loads(text)
