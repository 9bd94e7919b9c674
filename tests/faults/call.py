"""What a program asks at the gateway, and what it hears."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import urllib3

from tests.faults.words import Wish


@dataclass(slots=True, eq=False)
class Call:
    """Asked in a person's name. Times are monotonic seconds; `faults` happened meanwhile.

    `told` is the usage of an answer that the program was told is whole; otherwise `failure` is the code of the error
    that it was told, or what became of its line.
    """

    user: int
    wish: Wish
    is_stream: bool
    faults: set[str]
    text: str = ""
    told: tuple[int, int] | None = None
    failure: str = ""
    began_at: float = field(default_factory=time.monotonic)
    ended_at: float = 0.0

    @property
    def body(self) -> dict[str, Any]:
        options = {"stream": True, "stream_options": {"include_usage": True}} if self.is_stream else {}
        return {"messages": [{"role": "user", "content": self.wish.question}], **options}

    def hear(self, reply: urllib3.BaseHTTPResponse) -> None:
        """Raises ValueError for what is not JSON."""
        if reply.status != 200:
            self.failure = f"HTTP {reply.status}"
            self.failure = json.loads(reply.data)["error"]["code"]
        elif self.is_stream:
            self._hear_chunks(reply.data)
        else:
            said = json.loads(reply.data)
            self.text, self.told = said["choices"][0]["message"]["content"], _usage(said)

    def _hear_chunks(self, body: bytes) -> None:
        chunks = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
        said = [json.loads(chunk) for chunk in chunks if chunk != b"[DONE]"]
        self.text = "".join(choice["delta"].get("content") or "" for each in said for choice in each.get("choices", ()))
        if chunks and chunks[-1] == b"[DONE]":
            self.told = _usage(said[-1])
        else:
            self.failure = said[-1].get("error", {}).get("code", "no end") if said else "no end"


def _usage(said: dict[str, Any]) -> tuple[int, int]:
    return said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"]
