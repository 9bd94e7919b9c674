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

from flask_app.domain.seen import NOTHING_SEEN, Seen

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
    def ask(self, kind: str, name: str, amount: int, seconds: int, *, count: bool) -> Seen: ...


_shared: _Shared | None = None


def connect(url: str | None) -> None:
    """Count in the Redis at `url` as well, or in this process alone."""
    global _shared
    _shared = None
    if url is not None:
        from flask_app.services.site.redis_windows import RedisWindows  # as in `streams.connect`

        _shared = RedisWindows(url)


class _Window:
    """The moments of one name that are less than `seconds` old."""

    def __init__(self) -> None:
        self.moments: deque[float] = deque()
        self.seconds = 0

    def forget(self, now: float) -> None:
        while self.moments and self.moments[0] <= now - self.seconds:
            self.moments.popleft()

    def full_for(self, amount: int, now: float) -> int:
        """Seconds until there is room for one more of `amount`."""
        if len(self.moments) < amount:
            return 0
        return max(1, math.ceil(self.moments[-amount] + self.seconds - now))

    def seen(self, wait: int, amount: int, now: float) -> Seen:
        left = self.moments[-1] + self.seconds - now if self.moments else 0
        empties = math.ceil(round(left, 3))  # less than a thousandth is the arithmetic's
        return Seen(wait, min(len(self.moments), amount), empties)


class Windows:
    """One moving window a name, of `rate` or of the one that is asked with; `kind` tells them from others in what
    processes share."""

    def __init__(self, kind: str, rate: Rate) -> None:
        self.kind = kind
        self.rate = rate
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()
        self._swept_at = time.monotonic()

    def hit(self, name: str, rate: Rate | None = None) -> int:
        """Count one more; where the window is full nothing is counted and the seconds to wait are returned."""
        return self.count(name, rate).wait

    def count(self, name: str, rate: Rate | None = None) -> Seen:
        """The same, with how the window stands then: as in whichever place has counted more."""
        rate = rate or self.rate
        if _shared is None:
            return self._here(name, rate, count=True)
        if (here := self._here(name, rate)).wait:
            return here
        if (anywhere := self._anywhere(name, rate, count=True)).wait:
            return anywhere
        here = self._here(name, rate, count=True)
        return here if here.wait or here.used >= anywhere.used else anywhere

    def wait(self, name: str) -> int:
        """Seconds until one more would be counted; 0 when it would be now."""
        return self.look(name).wait

    def look(self, name: str, rate: Rate | None = None) -> Seen:
        """How the window stands, where it is full; nothing is counted."""
        rate = rate or self.rate
        here = self._here(name, rate)
        return here if here.wait else self._anywhere(name, rate, count=False)

    def clear(self) -> None:
        with self._lock:
            self._windows.clear()

    def _here(self, name: str, rate: Rate, *, count: bool = False) -> Seen:
        with self._lock:
            now = time.monotonic()
            self._sweep(now)
            window = self._windows.get(name) or _Window()
            window.seconds = rate.seconds
            window.forget(now)
            wait = window.full_for(rate.amount, now)
            if count and not wait:
                self._windows.setdefault(name, window).moments.append(now)
            return window.seen(wait, rate.amount, now)

    def _anywhere(self, name: str, rate: Rate, *, count: bool) -> Seen:
        if _shared is None:
            return NOTHING_SEEN
        return _shared.ask(self.kind, name, rate.amount, rate.seconds, count=count)

    def _sweep(self, now: float) -> None:
        """Forget the names whose windows have emptied, so that memory follows the present."""
        if now - self._swept_at < _SWEEP_EVERY:
            return
        self._swept_at = now
        for name, window in list(self._windows.items()):
            window.forget(now)
            if not window.moments:
                del self._windows[name]
