"""A scripted provider, light enough never to be what is measured: one process, one event loop.

`python -m bench.upstream PORT RATE` streams RATE tokens a second on each connection, every token an
event and a write of its own, as providers do. `GET /stats` tells what was sent.
"""

import asyncio
import gc
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import cast

import uvloop

from bench.answers import MODEL, PIECES, asked, first_piece

PROMPT_TOKENS, CACHED_TOKENS = 12, 4
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def chunk(choices: list[object], usage: dict[str, object] | None = None) -> bytes:
    """One event of a stream in DeepSeek's shape, as one HTTP chunk."""
    content = {
        "id": "6f1d2a9c-30f1-4a8e-9d55-1c5b7e0c4b11",
        "object": "chat.completion.chunk",
        "created": 1_795_600_000,
        "model": MODEL,
        "system_fingerprint": "fp_8802369eaa_prod0623_fp8_kvcache",
        "choices": choices,
        "usage": usage,
    }
    return framed(b"data: " + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n")


def framed(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


def delta(content: str, finish_reason: str | None = None) -> bytes:
    made = {"content": content} if content else {}
    return chunk([{"index": 0, "delta": made, "logprobs": None, "finish_reason": finish_reason}])


def usage_of(tokens: int) -> dict[str, object]:
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": tokens,
        "total_tokens": PROMPT_TOKENS + tokens,
        "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
        "completion_tokens_details": {"reasoning_tokens": 0},
        "prompt_cache_hit_tokens": CACHED_TOKENS,
        "prompt_cache_miss_tokens": PROMPT_TOKENS - CACHED_TOKENS,
    }


TOKENS = [delta(piece) for piece in PIECES]
LAST = delta("", "stop")
DONE = framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Stats:
    """What all connections sent since the start."""

    tokens = 0
    answers = 0
    completion_tokens = 0
    broken = 0  # answers whose reader left

    @classmethod
    def snapshot(cls) -> dict[str, float]:
        return {
            "tokens": cls.tokens,
            "answers": cls.answers,
            "prompt_tokens": cls.answers * PROMPT_TOKENS,
            "completion_tokens": cls.completion_tokens,
            "broken": cls.broken,
            "cpu_seconds": time.process_time(),
        }


class Clock:
    """Calls what is due, all of a millisecond together: a timer for each token would cost as much as to send it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = defaultdict[int, list[Callable[[], None]]](list)
        self._next = self._now()
        self._tick()

    def _now(self) -> int:
        return int(self._loop.time() * 1000)

    def call_at(self, seconds: float, call: Callable[[], None]) -> None:
        self._due[max(int(seconds * 1000), self._next)].append(call)

    def _tick(self) -> None:
        now = self._now()
        while self._next <= now:
            due, self._next = self._due.pop(self._next, ()), self._next + 1
            for call in due:
                call()
        self._loop.call_at(self._next / 1000, self._tick)


class Connection(asyncio.Protocol):
    """One connection: answers requests one after the other."""

    def __init__(self, interval: float, clock: Clock) -> None:
        self._interval, self._clock = interval, clock
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._is_answering = self._is_lost = False
        self._sent = self._length = 0
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.Transport", transport).write

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._is_lost = True
        Stats.broken += self._is_answering

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        self._received.clear()
        if head.startswith(b"POST"):
            self._begin(bytes(body))
        else:
            self._write(_reply(_page(head.split(b" ", 2)[1])))

    def _begin(self, body: bytes) -> None:
        answer_id, self._length = asked(body)
        self._write(HEAD)
        self._write(delta(first_piece(answer_id, time.monotonic_ns())))
        self._sent, self._due, self._is_answering = 1, self._loop.time(), True
        Stats.tokens += 1
        self._wait()

    def _wait(self) -> None:
        self._due += self._interval
        self._clock.call_at(self._due, self._next)

    def _next(self) -> None:
        if self._is_lost:
            return
        if self._sent < self._length:
            self._write(TOKENS[self._sent])
            self._sent += 1
            Stats.tokens += 1
            self._wait()
            return
        self._is_answering = False
        self._write(LAST + chunk([], usage_of(self._length)) + DONE)
        Stats.answers += 1
        Stats.completion_tokens += self._length


def _content_length(head: bytes | bytearray) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def _page(path: bytes | bytearray) -> object:
    if path == b"/models":
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "bench"}]}
    return Stats.snapshot()


def _reply(content: object) -> bytes:
    body = json.dumps(content).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


async def serve(port: int, rate: float) -> None:
    loop = asyncio.get_running_loop()
    clock = Clock()
    server = await loop.create_server(lambda: Connection(1 / rate, clock), "127.0.0.1", port, backlog=2048)
    gc.freeze()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2])))
