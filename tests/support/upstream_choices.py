"""Several answers at once, as a scripted provider gives them that knows `n`: mixed, and one count of them all."""

from dataclasses import dataclass
from typing import Any

from tests.support.upstream_answers import pieces
from tests.support.upstream_journal import Received, Usage
from tests.support.upstream_reply import Reply


@dataclass(frozen=True, slots=True)
class Several:
    """Streams `text` as often as is asked for, a piece of each in turn; breaks the connection at the byte `cut_at`."""

    text: str
    tells_usage: bool = True
    cut_at: int | None = None

    def play(self, reply: Reply, request: Received) -> None:
        count, words = int(request.body["n"]), list(pieces(self.text))
        request.billed = Usage(prompt=8, completion=count * len(words))
        reply.cut_at = self.cut_at
        reply.open_stream()
        for piece in words:
            for index in range(count):
                delta = {"content": piece}
                reply.token(self._chunk(request, [_choice(index, delta)]), delta)
        for index in reversed(range(count)):
            reply.event(self._chunk(request, [_choice(index, {}, "stop")]))
        if self.tells_usage:
            reply.event(self._chunk(request, []) | {"usage": request.billed.openai()})
            request.usage_sent = request.billed
        reply.event(b"[DONE]")
        reply.finish()

    def _chunk(self, request: Received, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": request.model, "choices": choices}


def _choice(index: int, delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": reason}
