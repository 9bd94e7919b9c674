"""Made-up streams: answers as providers send them, the same with damage, and noise; and ways to cut them."""

import json
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from flask_app.domain.sse import BYTE_ORDER_MARK

DEFAULT_LIMIT = 1 << 20
MOST_CUT_SINGLY = 200  # bytes of a stream that may come one at a time

ENDS = (b"\n", b"\r", b"\r\n")
FIELDS = (
    b"data: ",
    BYTE_ORDER_MARK + b"data: ",
    b"data:",
    b"data",
    b"event: error",
    b"event:message",
    b"event: ",
    b"id: 1",
    b"retry: 9",
    b": ",
    b"",
)
VALUES = (
    b"",
    b" ",
    b":",
    b"  x",
    "明聊🙂".encode(),
    b"[DONE]",
    b'{"a": "b"}',
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
)
LETTERS = b'\r\n\r\n\n: datevn{}[]",\\u0\xef\xbb\xbf\xe6\x00\xff'
STRINGS = ("", "a", "Hello", " world", "明聊", "🙂", "\n", '"', "\x00", "stop", "length", "deepseek-flash", "é" * 40)
NUMBERS = (0, 1, 7, 4096, -1, (1 << 31) - 1, 1 << 31, 1 << 63, 1 << 64, 10**400, 1.0, 1.5, -0.0, 1e308, True)
# What Python's own writer would not write.
RAW = (
    "NaN",
    "-Infinity",
    "1e999",
    "1E+2",
    "-0",
    "01",
    "1.",
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"\\u0000"',
    '"\\x"',
    "tru",
)
USAGE_KEYS = ("prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens", "total_tokens")
PART_KEYS = ("prompt_tokens_details", "completion_tokens_details")
COUNT_KEYS = ("cached_tokens", "reasoning_tokens")


@dataclass(frozen=True, slots=True)
class Case:
    """A stream, the largest event that is taken from it, and how it comes: the places of each split's cuts."""

    stream: bytes
    limit: int
    cuts: tuple[list[int], ...]

    def chunks(self) -> list[list[bytes]]:
        """The stream in pieces, once for each split; some are empty."""
        return [self._split(cuts) for cuts in self.cuts]

    def _split(self, cuts: list[int]) -> list[bytes]:
        return [self.stream[start:end] for start, end in pairwise([0, *sorted(cuts), len(self.stream)])]


class Streams:
    """Streams without end, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._of_calls = Random(seed)
        self._payloads = [self._payload() for _ in range(64)]

    def next(self) -> Case:
        random = self._random
        self._payloads[random.randrange(64)] = self._payload()
        fate, limit = random.random(), DEFAULT_LIMIT
        if fate < 0.45:
            stream = self._answer()
        elif fate < 0.7:
            stream = self._lines()
        elif fate < 0.85:
            stream = self._noise()
        elif fate < 0.9998:
            limit = random.randint(16, 80)
            stream = self._long(limit)
        else:
            stream = self._long(limit)
        if random.random() < 0.4:
            stream = self._damaged(stream)
        if random.random() < 0.1:
            stream = BYTE_ORDER_MARK + stream
        return Case(stream, limit, (self._cuts(stream), self._cuts(stream)))

    def _cuts(self, stream: bytes) -> list[int]:
        if len(stream) <= MOST_CUT_SINGLY and self._random.random() < 0.1:
            return list(range(1, len(stream)))
        return [int(self._random.random() * (len(stream) + 1)) for _ in range(int(self._random.random() * 8) + 1)]

    def _answer(self) -> bytes:
        """As a provider would write it, with one kind of line end."""
        random = self._random
        end = random.choice(ENDS) * 2
        start = random.choice(
            (b"data: ", b"data:", b": ping" + end + b"data: ", b"event: error" + end[: len(end) // 2] + b"data: ")
        )
        payloads = random.choices(self._payloads, k=int(random.random() * 5))
        payloads += [b"[DONE]"] if random.random() < 0.5 else []
        stream = b"".join(start + payload + end for payload in payloads)
        return stream if random.random() < 0.7 else stream.removesuffix(end)

    def _lines(self) -> bytes:
        random = self._random
        count = int(random.random() * 12)
        fields, values = random.choices(FIELDS, k=count), random.choices(VALUES, k=count)
        ends = random.choices((*ENDS, b"\n\n", b"\r\r", b"\r\n\r\n", b""), k=count)
        return b"".join(part for line in zip(fields, values, ends, strict=True) for part in line)

    def _noise(self) -> bytes:
        return bytes(self._random.choices(LETTERS, k=int(self._random.random() * 60)))

    def _long(self, limit: int) -> bytes:
        """Events that just fit, and some that do not."""
        random = self._random
        parts: list[bytes] = []
        for _ in range(random.randint(1, 3)):
            parts += [random.choice((b"data: ", b"data: x\ndata: ", b"\ndata: ", b"\r\ndata: "))]
            parts += [b"x" * max(limit - len(parts[-1]) + random.randint(-3, 3), 0)]
            parts += [random.choice((b"\n\n", b"\r\r", b"\r\n\r\n", b"\n", b"\n\n\n", b"\r\n", b""))]
        return b"".join(parts)

    def _damaged(self, stream: bytes) -> bytes:
        random, damaged = self._random, bytearray(stream)
        for _ in range(random.randint(1, 3)):
            place = int(random.random() * (len(damaged) + 1))
            match random.randrange(5):
                case 0:
                    del damaged[place : place + random.randint(1, 9)]
                case 1:
                    damaged[place:place] = damaged[place : place + random.randint(1, 30)]
                case 2:
                    damaged[place:place] = bytes((random.randrange(256),))
                case 3:
                    damaged[place : place + 1] = bytes((random.choice(LETTERS),))
                case 4:
                    del damaged[place:]
        return bytes(damaged)

    def _payload(self) -> bytes:
        """A chunk of a chat completion, nearly always."""
        random = self._random
        fate = random.random()
        if fate < 0.002:
            return self._deep(random.choice((50, 1000, 20_000)))
        if fate < 0.05:
            return json.dumps(self._any(3)).encode()
        told = {
            key: self._part(key) for key in ("choices", "choices", "model", "usage", "error") if random.random() < 0.5
        }
        text = json.dumps(told, ensure_ascii=random.random() < 0.5)
        if random.random() < 0.2:
            text = text.replace('"a"', random.choice(RAW))
        return text.encode()

    def _part(self, key: str) -> Any:
        random = self._random
        if random.random() < 0.1:
            return self._any(2)
        match key:
            case "choices":
                return [self._choice() for _ in range(random.randrange(3))]
            case "usage":
                return self._usage()
            case "error":
                return None if random.random() < 0.7 else {"message": random.choice(STRINGS)}
        return random.choice(STRINGS)

    def _choice(self) -> Any:
        random = self._random
        delta = {key: self._maybe(STRINGS) for key in ("content", "reasoning_content", "role") if random.random() < 0.6}
        if self._of_calls.random() < 0.1:
            delta["tool_calls"] = self._calls()
        if self._of_calls.random() < 0.1:
            delta["reasoning"] = self._of_calls.choice((*STRINGS, None, 1, {}))
        return {"index": 0, "delta": delta, "finish_reason": self._maybe(("stop", "length", "", None))}

    def _calls(self) -> Any:
        random = self._of_calls
        function = {key: random.choice((*STRINGS, 1)) for key in ("name", "arguments") if random.random() < 0.6}
        call = {"index": random.choice(NUMBERS), "id": random.choice(STRINGS), "function": function}
        return random.choice((None, {}, [call], [call, call], [{"index": random.choice(NUMBERS[:4])}, call]))

    def _usage(self) -> Any:
        usage: dict[str, Any] = {key: self._maybe(NUMBERS[:4]) for key in USAGE_KEYS}
        for key in PART_KEYS:
            usage[key] = self._maybe((None, {name: self._maybe(NUMBERS[:4]) for name in COUNT_KEYS}))
        return usage

    def _maybe(self, wanted: tuple[Any, ...]) -> Any:
        return self._any(1) if self._random.random() < 0.05 else self._random.choice(wanted)

    def _any(self, depth: int) -> Any:
        random = self._random
        match random.randrange(6 if depth else 4):
            case 0:
                return random.choice(STRINGS)
            case 1:
                return random.choice(NUMBERS)
            case 2:
                return None
            case 3:
                return random.choice(({}, []))
            case 4:
                return [self._any(depth - 1) for _ in range(random.randrange(3))]
        return {random.choice(("delta", "content", "usage", "a")): self._any(depth - 1)}

    def _deep(self, depth: int) -> bytes:
        key = self._random.choice((b"choices", b"usage", b"error", b"other"))
        opening, closing = self._random.choice(((b"[", b"]"), (b'{"a":', b"}")))
        return b'{"' + key + b'":' + opening * depth + b"1" + closing * depth + b"}"
