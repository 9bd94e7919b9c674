"""The logs of this process, by their runs: silences are broken, and what ended a while ago is dropped."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import structlog

HEARTBEAT_SECONDS = 10  # a reader that has gone is noticed only by writing to it, so silence is broken
KEPT_SECONDS = 30  # after the end, for readers that lost the last events
HEARTBEAT = b": ping\n\n"

log = structlog.get_logger()


class Log(Protocol):
    """A log of any kind. `ended_at` is when it ended, on the monotonic clock."""

    ended_at: float | None

    def wake(self) -> None:
        """Let the sleeping readers look again; one that finds nothing new sends a comment."""


Kind = TypeVar("Kind", bound=Log)


class Keeper(Generic[Kind]):
    """Logs of one kind. One thread looks after all of them."""

    def __init__(self, make: Callable[[], Kind]) -> None:
        self._make = make
        self._logs: dict[str, Kind] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def open(self, run_id: str) -> Kind:
        opened = self._logs[run_id] = self._make()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="logs", daemon=True)
                self._thread.start()
        return opened

    def find(self, run_id: str) -> Kind | None:
        return self._logs.get(run_id)

    def forget(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            self._logs.pop(run_id, None)

    def beat(self) -> None:
        """Wake the readers of every log, and drop the logs that have expired."""
        limit = time.monotonic() - KEPT_SECONDS
        for run_id, kept in list(self._logs.items()):
            kept.wake()
            if kept.ended_at is not None and kept.ended_at < limit:
                self._logs.pop(run_id, None)  # another thread may forget it in this moment

    def _keep(self) -> None:
        while True:
            time.sleep(HEARTBEAT_SECONDS)
            try:
                self.beat()
            except Exception:  # a fault of ours must not leave every later answer without heartbeats
                log.exception("no_heartbeat")
