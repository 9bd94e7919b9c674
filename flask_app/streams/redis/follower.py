"""Follows the logs that other processes write to Redis, all of them on one thread and one connection."""

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from flask_app.redis_client import SLOWEST_RETRY_SECONDS, retry_after
from flask_app.streams.keeper import HEARTBEAT_SECONDS
from flask_app.streams.redis import entries
from flask_app.streams.redis.mirror import Mirror

BLOCK_MS = 500
PACE_SECONDS = 0.03  # replies are taken together, so that many busy logs do not cost a look at all for each
MOST_ENTRIES = 100  # of one log in one reply

log = structlog.get_logger()


class Follower:
    """Reads all mirrored logs and this process's letters with one blocking command."""

    def __init__(self, redis: Redis, worker: str, call_again: Callable[[], None]) -> None:
        """`call_again` has a letter sent to this process, so that a blocked read returns."""
        self.connected: bool | None = None  # None: nothing was tried yet
        self._redis = redis
        self._letterbox = entries.letterbox_of(worker)
        self._letters_read = b"0-0"
        self._call_again = call_again
        self._look: Callable[[], None] = _nobody
        self._mirrors: dict[str, Mirror] = {}
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = self._is_done = False
        self._beat_at = time.monotonic()

    def attend(self, look: Callable[[], None]) -> None:
        self._look = look
        self._start()

    def follow(self, run_id: str) -> Mirror | None:
        """A mirror of the run's log; None while Redis does not answer, and once the readers were let go."""
        self._start()
        if not self.connected or self._is_done:
            return None
        with self._guard:
            mirror = self._mirrors.get(run_id)
            if known := mirror is not None:
                mirror.wanted_at = time.monotonic()
            else:
                mirror = self._mirrors[run_id] = Mirror(run_id)
        if not known:
            self._call_again()
        return mirror

    def let_go(self) -> None:
        self._is_done = True
        self._lose_all()

    def close(self) -> None:
        self._closed = True
        if self._thread:
            self._thread.join()
        self._redis.close()

    def _start(self) -> None:
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mirrors", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        failures = 0
        while not self._closed:
            try:
                self._read()
            except (RedisError, OSError) as error:
                failures += 1
                if failures > 1 or isinstance(error, RedisTimeoutError):  # a closed connection is opened again first
                    self._let_go(str(error))
                    time.sleep(retry_after(failures))
                continue
            except Exception:  # a fault of ours must not leave every later reader without a mirror
                log.exception("mirrors_failed")
                self._let_go("a fault")
                time.sleep(SLOWEST_RETRY_SECONDS)
                continue
            if not self.connected:
                log.info("redis_reached")
            failures, self.connected = 0, True

    def _let_go(self, reason: str) -> None:
        if self.connected is not False:
            log.warning("redis_lost", reason=reason)
        self.connected = False
        self._lose_all()

    def _lose_all(self) -> None:
        with self._guard:
            for mirror in self._mirrors.values():
                mirror.lose()
            self._mirrors.clear()

    def _read(self) -> None:
        going_on = [mirror for mirror in self._kept() if not mirror.ended]
        hurried = not self.connected or any(not mirror.asked for mirror in going_on)
        places: dict[Any, Any] = {mirror.key: mirror.place for mirror in going_on}
        places[self._letterbox] = self._letters_read
        replies: Any = self._redis.xread(places, count=MOST_ENTRIES, block=None if hurried else BLOCK_MS)
        found = dict(replies or [])
        self._open(found.pop(self._letterbox, []))
        for mirror in going_on:
            mirror.asked = True
            mirror.take(found.get(mirror.key, []))
            if mirror.is_absent:
                mirror.lose()
        if found and not hurried:
            time.sleep(PACE_SECONDS)

    def _open(self, letters: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        if letters:
            self._letters_read = letters[-1][0]
        if any(fields.get(b"about") == entries.STOP for _, fields in letters):
            self._look()

    def _kept(self) -> list[Mirror]:
        """The mirrors that are read, or were just now. Silence on them is broken from time to time."""
        with self._guard:
            for run_id, mirror in list(self._mirrors.items()):
                if unread := mirror.is_unread:
                    mirror.lose()
                if unread or mirror.is_lost:
                    del self._mirrors[run_id]
            kept = list(self._mirrors.values())
        if time.monotonic() - self._beat_at > HEARTBEAT_SECONDS:
            self._beat_at = time.monotonic()
            for mirror in kept:
                mirror.log.wake()
        return kept


def _nobody() -> None:
    """Nobody asked to be called."""
