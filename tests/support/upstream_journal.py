"""What a scripted provider saw and sent: the other side of our ledger."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

PATIENCE = 30.0  # seconds
SEARCH, FETCH = "/tools/search", "/tools/fetch"

Outcome = Literal["running", "complete", "refused", "cut", "client_closed", "stopped"]
"""How a request ended: `client_closed` before the answer was out, `stopped` with the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as a provider counts them: `cached` is part of `prompt`, `reasoning` of `completion`."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        return self.prompt + self.completion

    def deepseek(self) -> dict[str, Any]:
        """The `usage` object with DeepSeek's cache fields."""
        return self._common() | {
            "prompt_cache_hit_tokens": self.cached,
            "prompt_cache_miss_tokens": self.prompt - self.cached,
        }

    def openai(self) -> dict[str, Any]:
        """The `usage` object with OpenAI's cache field."""
        return self._common() | {"prompt_tokens_details": {"cached_tokens": self.cached}}

    def _common(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.total,
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
        }


@dataclass(slots=True, kw_only=True)
class Received:
    """One request and what became of it. Times are `time.monotonic()` seconds."""

    method: str
    path: str
    key: str
    headers: dict[str, str]
    body: dict[str, Any]
    target: str = ""  # the path as it was asked for, with its query
    beta: bool = False  # asked under /beta, where alone an answer may be given its beginning
    number: int = 0  # 1 for the first in the journal
    received_at: float = field(default_factory=time.monotonic)
    first_token_at: float | None = None
    finished_at: float | None = None
    status: int | None = None
    outcome: Outcome = "running"
    text_sent: str = ""
    reasoning_sent: str = ""
    calls_sent: str = ""  # names and arguments
    billed: Usage | None = None  # what the answer used, told or not
    usage_sent: Usage | None = None  # the last `usage` that went out

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def is_chat(self) -> bool:
        return self.path == "/chat/completions"

    @property
    def is_answered(self) -> bool:
        """Is it a request for what costs something?"""
        return self.path in {"/chat/completions", "/embeddings", "/completions", SEARCH, FETCH}

    @property
    def is_search(self) -> bool:
        """Is it one for pages of the web? It takes no tokens."""
        return self.path == SEARCH

    @property
    def is_fetch(self) -> bool:
        """Is it one for a page that somebody linked to? Nor does it."""
        return self.path == FETCH

    @property
    def prefix(self) -> str | None:
        """The beginning of the answer that the request brings along."""
        match self.body.get("messages"):
            case [*_, {"role": "assistant", "content": str(begun), "prefix": True}]:
                return begun
        return None

    @property
    def closed_early(self) -> bool:
        return self.outcome == "client_closed"

    @property
    def wants_usage(self) -> bool:
        return bool((self.body.get("stream_options") or {}).get("include_usage"))


class Journal:
    """Every request in order of arrival. Safe to read while the server works."""

    def __init__(self) -> None:
        self._entries: list[Received] = []
        self._changed = threading.Condition()

    def __iter__(self) -> Iterator[Received]:
        with self._changed:
            return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Received:
        return self._entries[index]

    @property
    def chats(self) -> list[Received]:
        """The requests for an answer: each must have one attempt in the ledger."""
        return [entry for entry in self if entry.is_answered and not entry.is_search and not entry.is_fetch]

    @property
    def searches(self) -> list[Received]:
        """Those for pages of the web, each of which must have one too."""
        return [entry for entry in self if entry.is_search]

    @property
    def fetches(self) -> list[Received]:
        """And those for pages that somebody linked to."""
        return [entry for entry in self if entry.is_fetch]

    @property
    def last(self) -> Received:
        return self._entries[-1]

    def add(self, entry: Received) -> None:
        with self._changed:
            self._entries.append(entry)
            entry.number = len(self._entries)
            self._changed.notify_all()

    def finish(self, entry: Received, outcome: Outcome) -> None:
        with self._changed:
            entry.outcome = outcome
            entry.finished_at = time.monotonic()
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._entries.clear()

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Received]:
        """The first `count` answers asked for, as soon as they have come; raises TimeoutError."""
        self._wait(lambda: len(self.chats) >= count, timeout, f"{count} requests")
        return self.chats[:count]

    def wait_until_idle(self, timeout: float = PATIENCE) -> None:
        """Return when no request is being answered; raises TimeoutError."""
        self._wait(lambda: all(entry.outcome != "running" for entry in self), timeout, "every answer's end")

    def _wait(self, reached: Callable[[], bool], timeout: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(reached, timeout):
                raise TimeoutError(f"waited {timeout} s for {what}; seen: {self._entries}")
