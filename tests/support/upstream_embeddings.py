"""The embeddings that a scripted provider gives: a short vector for each input, which says the input's number."""

import base64
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.upstream_journal import Received, Usage
from tests.support.upstream_reply import Reply

EMBEDDINGS = "/embeddings"


def vector(number: int) -> list[float]:
    return [float(number), 0.5, -0.25]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Gives as many vectors as there are inputs, or `count`. `tells_usage=False` is a provider that never says."""

    usage: Usage = Usage(prompt=7)  # noqa: RUF009 - it cannot be changed
    tells_usage: bool = True
    count: int | None = None
    actual_model: str = ""
    junk: bytes = b""  # instead of JSON
    cut_at: int | None = None  # byte of the body at which the connection breaks
    means: Callable[[str], list[float]] | None = None  # the vector of an input's words

    def play(self, reply: Reply, request: Received) -> None:
        request.billed = self.usage
        given = request.body["input"]
        inputs = len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1
        count = inputs if self.count is None else self.count
        reply.cut_at = self.cut_at
        if self.junk:
            reply.whole(200, self.junk)
            return
        in_base64 = request.body.get("encoding_format") == "base64"
        made = [self.means(str(given[number])) if self.means else vector(number) for number in range(count)]
        data = [
            {"object": "embedding", "index": number, "embedding": _packed(each) if in_base64 else each}
            for number, each in reversed(list(enumerate(made)))
        ]
        content: dict[str, Any] = {"object": "list", "data": data, "model": self.actual_model or request.model}
        if self.tells_usage:
            content["usage"] = {"prompt_tokens": self.usage.prompt, "total_tokens": self.usage.prompt}
            request.usage_sent = self.usage if self.cut_at is None else None
        reply.json(200, content)


def _packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
