"""Moving windows: how often something happened lately, by name, in this process's memory.

Time is monotonic, so a clock that is set does not open or close a window.
"""

import math
import re
import threading
import time
from collections import deque
from dataclasses import dataclass

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


class Windows:
    """One moving window a name, all of the same rate."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._moments: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self._swept_at = time.monotonic()

    def hit(self, name: str) -> int:
        """Count one more; where the window is full nothing is counted and the seconds to wait are returned."""
        with self._lock:
            now = time.monotonic()
            self._sweep(now)
            moments = self._current(name, now)
            if wait := self._full_for(moments, now):
                return wait
            self._moments.setdefault(name, moments).append(now)
            return 0

    def wait(self, name: str) -> int:
        """Seconds until one more would be counted; 0 when it would be now."""
        with self._lock:
            now = time.monotonic()
            return self._full_for(self._current(name, now), now)

    def clear(self) -> None:
        with self._lock:
            self._moments.clear()

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
