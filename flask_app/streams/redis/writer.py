"""Writes the logs of this process's runs to Redis, a tenth of a second behind, on one thread."""

import threading
import time
from collections import deque
from collections.abc import Sequence

import structlog
from redis import Redis
from redis.exceptions import RedisError

from flask_app.redis_client import SLOWEST_RETRY_SECONDS, retry_after
from flask_app.streams.memory import MemoryLog
from flask_app.streams.redis import entries
from flask_app.streams.redis.entries import Command, key_of
from flask_app.streams.redis.shared_log import SharedLog, Step

EVERY_SECONDS = 0.1
FLUSH_SECONDS = 1
MOST_AT_ONCE = 1 << 20  # bytes in one pipeline, so that its replies come within the client's time-out
MOST_LETTERS = 1000

log = structlog.get_logger()


class Writer:
    """Takes what is new of all logs at most every tenth of a second, in one pipeline; and letters at once."""

    def __init__(self, redis: Redis) -> None:
        self.is_failing = False
        self._redis = redis
        self._logs: dict[str, SharedLog] = {}
        self._letters: deque[Command] = deque(maxlen=MOST_LETTERS)
        self._due = threading.Event()
        self._closed = False
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def share(self, run_id: str, source: MemoryLog) -> None:
        """Keep Redis up to date with a log until it has ended."""
        self._logs[run_id] = SharedLog(run_id, source)
        self._wake()

    def forget(self, run_ids: Sequence[str]) -> None:
        """Take these logs out of Redis, also those that another process still writes."""
        for run_id in run_ids:
            self._logs.pop(run_id, None)
        self.post(entries.forget([*map(key_of, run_ids)]))

    def post(self, letter: Command) -> None:
        """Send a command whose reply does not matter; it waits while Redis is away."""
        self._letters.append(letter)
        self._wake()

    def flush(self) -> None:
        """Wait until everything is there, but no longer than a second."""
        deadline = time.monotonic() + FLUSH_SECONDS
        while (self._logs or self._letters) and time.monotonic() < deadline:
            self._due.set()
            time.sleep(0.01)

    def close(self) -> None:
        self._closed = True
        self._due.set()
        if self._thread:
            self._thread.join()
        self._redis.close()

    def _wake(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="shared-logs", daemon=True)
                self._thread.start()
        self._due.set()

    def _run(self) -> None:
        failures = 0
        while not self._closed:
            self._due.wait(EVERY_SECONDS if self._logs or failures else None)
            self._due.clear()
            try:
                self._send_letters()
                self._send_logs()
            except (RedisError, OSError) as error:
                failures += 1
                self.is_failing = True
                if failures == 1:
                    log.warning("redis_write_failed", reason=str(error))
                self._redis.close()  # a server that takes no writes any more has another one in its place
                self._drop_expired()
                time.sleep(retry_after(failures))
                continue
            except Exception:  # a fault of ours must not leave every later run without readers elsewhere
                log.exception("redis_write_failed")
                time.sleep(SLOWEST_RETRY_SECONDS)
                continue
            if failures:
                log.info("redis_writes_again")
            failures, self.is_failing = 0, False

    def _drop_expired(self) -> None:
        """While Redis is away the logs of answers that ended are not kept for it: the stored ones answer by then."""
        now = time.monotonic()
        for shared in list(self._logs.values()):
            if shared.is_expired(now):
                self._logs.pop(shared.run_id, None)

    def _send_letters(self) -> None:
        while self._letters:
            self._redis.execute_command(*self._letters[0])  # type: ignore[no-untyped-call]
            self._letters.popleft()

    def _send_logs(self) -> None:
        """Once around; again only for those that say so."""
        waiting = deque(self._logs.values())
        while waiting:
            for shared in self._send_some(waiting):
                if shared.done:
                    self._logs.pop(shared.run_id, None)
                elif shared.hurried:
                    waiting.append(shared)

    def _send_some(self, waiting: deque[SharedLog]) -> list[SharedLog]:
        now, taken, size = time.monotonic(), list[SharedLog](), 0
        steps: list[Step] = []
        while waiting and size < MOST_AT_ONCE:
            taken.append(waiting.popleft())
            steps += taken[-1].steps(now)
            size += taken[-1].size
        if steps:
            pipeline = self._redis.pipeline(transaction=False)
            for command, _ in steps:
                pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
            for (_, take), reply in zip(steps, pipeline.execute(raise_on_error=False), strict=True):
                take(reply)
        return taken
