"""The embeddings that a scripted provider gives: a short vector for each input, which says the input's number."""

import base64
import struct
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
        data = [
            {"object": "embedding", "index": number, "embedding": _packed(number) if in_base64 else vector(number)}
            for number in reversed(range(count))
        ]
        content: dict[str, Any] = {"object": "list", "data": data, "model": self.actual_model or request.model}
        if self.tells_usage:
            content["usage"] = {"prompt_tokens": self.usage.prompt, "total_tokens": self.usage.prompt}
            request.usage_sent = self.usage if self.cut_at is None else None
        reply.json(200, content)


def _packed(number: int) -> str:
    return base64.b64encode(struct.pack("<3f", *vector(number))).decode()
