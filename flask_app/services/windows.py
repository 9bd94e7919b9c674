"""Moving windows: how often something happened lately, by name.

Each process counts in its own memory, by monotonic time, so a clock that is set does not open or close a window. Where
processes share a Redis they count there as well; when it does not answer, their own counts hold.
"""

import math
import re
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

_RATE = re.compile(r"(\d{1,9})\s*(?:per|/)\s*(\d{0,9})\s*(second|minute|hour|day)s?", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_SWEEP_EVERY = 60.0


@dataclass(frozen=True)
class Rate:
    """At most `amount` in any `seconds`."""

    amount: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read "5 per minute", "20 per 5 minutes" or "100/hour"; raises ValueError."""
        found = _RATE.fullmatch(text.strip())
        if not found or not int(found[1]) or found[2] == "0":
            raise ValueError(f'a rate is written like "5 per minute", not {text!r}')
        return cls(int(found[1]), int(found[2] or 1) * _SECONDS[found[3].lower()])


class _Shared(Protocol):
    def ask(self, kind: str, name: str, amount: int, seconds: int, *, count: bool) -> int: ...


_shared: _Shared | None = None


def connect(url: str | None) -> None:
    """Count in the Redis at `url` as well, or in this process alone."""
    global _shared
    _shared = None
    if url is not None:
        from flask_app.services.redis_windows import RedisWindows  # as in `streams.connect`

        _shared = RedisWindows(url)


class Windows:
    """One moving window a name, all of the same `rate`; `kind` tells them from others in what processes share."""

    def __init__(self, kind: str, rate: Rate) -> None:
        self.kind = kind
        self.rate = rate
        self._moments: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self._swept_at = time.monotonic()

    def hit(self, name: str) -> int:
        """Count one more; where the window is full nothing is counted and the seconds to wait are returned."""
        return self._wait_here(name) or self._wait_anywhere(name, count=True) or self._hit_here(name)

    def wait(self, name: str) -> int:
        """Seconds until one more would be counted; 0 when it would be now."""
        return self._wait_here(name) or self._wait_anywhere(name, count=False)

    def clear(self) -> None:
        with self._lock:
            self._moments.clear()

    def _hit_here(self, name: str) -> int:
        with self._lock:
            now = time.monotonic()
            self._sweep(now)
            moments = self._current(name, now)
            if wait := self._full_for(moments, now):
                return wait
            self._moments.setdefault(name, moments).append(now)
            return 0

    def _wait_here(self, name: str) -> int:
        with self._lock:
            now = time.monotonic()
            return self._full_for(self._current(name, now), now)

    def _wait_anywhere(self, name: str, *, count: bool) -> int:
        if _shared is None:
            return 0
        return _shared.ask(self.kind, name, self.rate.amount, self.rate.seconds, count=count)

    def _current(self, name: str, now: float) -> deque[float]:
        moments = self._moments.get(name, deque())
        while moments and moments[0] <= now - self.rate.seconds:
            moments.popleft()
        return moments

    def _full_for(self, moments: deque[float], now: float) -> int:
        if len(moments) < self.rate.amount:
            return 0
        return max(1, math.ceil(moments[-self.rate.amount] + self.rate.seconds - now))

    def _sweep(self, now: float) -> None:
        """Forget the names whose windows have emptied, so that memory follows the present."""
        if now - self._swept_at < _SWEEP_EVERY:
            return
        self._swept_at = now
        for name in list(self._moments):
            if not self._current(name, now):
                del self._moments[name]
