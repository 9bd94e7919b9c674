"""The plain text that a scripted provider goes on with, in chunks of its own shape."""

from dataclasses import dataclass
from typing import Any

from tests.support.upstream_answers import pieces
from tests.support.upstream_journal import Received, Usage
from tests.support.upstream_reply import Reply

COMPLETIONS = "/completions"


def table(piece: str) -> dict[str, Any]:
    """How likely it was, as providers of text completions tell."""
    return {"tokens": [piece], "token_logprobs": [-0.5], "top_logprobs": [{piece: -0.5}], "text_offset": [0]}


@dataclass(frozen=True, slots=True)
class Continued:
    """Streams `text`; with `logprobs` where they are asked for. `breaks`: the stream ends without a word of why."""

    text: str = "return a + b"
    usage: Usage = Usage(prompt=6, completion=4)  # noqa: RUF009 - it cannot be changed
    tells_usage: bool = True
    finish_reason: str = "stop"
    actual_model: str = ""
    breaks: bool = False
    tokens_per_second: float | None = None  # None: as fast as it goes

    def play(self, reply: Reply, request: Received) -> None:
        request.billed = self.usage
        reply.open_stream()
        for piece in pieces(self.text):
            if self.tokens_per_second:
                reply.pause(1 / self.tokens_per_second)
            likely = table(piece) if "logprobs" in request.body else None
            reply.token(self._chunk(request, [self._choice(piece, likely)]), {"content": piece})
        if self.breaks:
            reply.finish()
            return
        reply.event(self._chunk(request, [self._choice("", None, self.finish_reason)]))
        if self.tells_usage:
            reply.event(self._chunk(request, []) | {"usage": self.usage.deepseek()})
            request.usage_sent = self.usage
        reply.event(b"[DONE]")
        reply.finish()

    def _choice(self, text: str, likely: dict[str, Any] | None, reason: str | None = None) -> dict[str, Any]:
        return {"text": text, "index": 0, "logprobs": likely, "finish_reason": reason}

    def _chunk(self, request: Received, choices: list[dict[str, Any]]) -> dict[str, Any]:
        named = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": self.actual_model or request.model}
        return named | {"choices": choices}
