"""Deadlines of what providers send: one thread looks at all of it, so that no read needs a timer of its own."""

import threading
import time
from dataclasses import dataclass
from typing import Protocol

import structlog

from flask_app.config import Config

LOOK_SECONDS = 1.0
ASLEEP_SECONDS = 5.0  # a look that is so late was kept from looking: this process or its machine stood still

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds: from the request to the first token, of silence, and of the whole answer."""

    first_token: float
    idle: float
    total: float

    @classmethod
    def of(cls, config: Config) -> "Limits":
        return cls(config.upstream_first_token_seconds, config.upstream_idle_seconds, config.upstream_total_seconds)


class Watched(Protocol):
    """An answer that arrives: how much of it has, and whether a token was in it."""

    bytes_received: int
    begun: bool

    def expire(self) -> None:
        """End it: a deadline has passed."""


@dataclass(slots=True)
class _Seen:
    limits: Limits
    since: float
    bytes_received: int = 0
    moved: float = 0.0

    def is_over(self, stream: Watched, now: float) -> bool:
        if stream.bytes_received != self.bytes_received:
            self.bytes_received, self.moved = stream.bytes_received, now
        if now - self.moved > self.limits.idle or now - self.since > self.limits.total:
            return True
        return not stream.begun and now - self.since > self.limits.first_token


_streams: dict[Watched, _Seen] = {}
_lock = threading.Lock()
_watcher: threading.Thread | None = None


def watch(stream: Watched, limits: Limits) -> None:
    """From now on hold `stream` to `limits`, until `forget`."""
    global _watcher
    now = time.monotonic()
    _streams[stream] = _Seen(limits, since=now, moved=now)
    if _watcher is None:
        with _lock:
            if _watcher is None:
                _watcher = threading.Thread(target=_look_on, name="deadlines", daemon=True)
                _watcher.start()


def forget(stream: Watched) -> None:
    _streams.pop(stream, None)


def look() -> None:
    """Expire what is over its limits."""
    now = time.monotonic()
    for stream, seen in list(_streams.items()):
        try:
            if seen.is_over(stream, now):
                stream.expire()
        except Exception:  # a fault of ours must not leave every later answer without a deadline
            log.exception("deadline_failed")


def forgive(seconds: float) -> None:
    """Give every answer that much more time: while nothing here could read, nobody was silent or late."""
    for seen in list(_streams.values()):
        seen.since += seconds
        seen.moved += seconds


def _look_on() -> None:
    while True:
        due = time.monotonic() + LOOK_SECONDS
        time.sleep(LOOK_SECONDS)
        if (late := time.monotonic() - due) > ASLEEP_SECONDS:
            log.warning("stood_still", seconds=round(late))
            forgive(late)
        look()
