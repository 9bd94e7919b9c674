"""Several requests at a time, each on a thread of its own, none of which outlasts what they are for."""

import threading
import time
from collections.abc import Callable, Sequence

from structlog.contextvars import bind_contextvars, get_contextvars

from flask_app.errors import BudgetExhausted, Unavailable
from flask_app.services.runs.stop_signal import StopSignal

AT_ONCE = 4
LAST_SECONDS = 2.0  # until what was stopped is booked: who cannot in time does so without anybody who waits

Job = Callable[[StopSignal], object]


class TooLate(Exception):
    """There was not enough time."""


def in_time(jobs: Sequence[Job], deadline: float) -> None:
    """Do all of them before then, on the monotonic clock.

    Raises TooLate, and the first failure of any; after either none begins. What was on its way is ended, or goes on.
    """
    _Crew(jobs).work(deadline)


class _Crew:
    def __init__(self, jobs: Sequence[Job]) -> None:
        self._waiting = list(reversed(jobs))
        self._stops = [StopSignal() for _ in range(min(len(jobs), AT_ONCE))]
        self._at_work = len(self._stops)
        self._failures: list[Exception] = []
        self._lock = threading.Lock()

    def work(self, deadline: float) -> None:
        threads = self._begun()
        _wait(threads, deadline)
        if any(thread.is_alive() for thread in threads):
            self._failures.append(TooLate())
            for stop in self._stops:
                stop.stop("stopped")
            _wait(threads, time.monotonic() + LAST_SECONDS)
        if self._failures or self._waiting:  # the latter where those that it was left to were never there
            raise [*self._failures, TooLate()][0]

    def _begun(self) -> list[threading.Thread]:
        """As many as are to be had; without any, nothing is done."""
        told, threads = get_contextvars(), list[threading.Thread]()
        for stop in self._stops:
            thread = threading.Thread(target=self._take, args=(stop, told), name="vectors", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread to be had
                with self._lock:
                    self._at_work -= 1
            else:
                threads.append(thread)
        if not threads:
            self._failures.append(Unavailable())
        return threads

    def _take(self, stop: StopSignal, told: dict[str, object]) -> None:
        bind_contextvars(**told)
        while job := self._next():
            try:
                job(stop)
            except Exception as error:  # noqa: BLE001 - raised where somebody waits
                if self._leaves_to_others(job, error):
                    return
                self._failures.append(error)

    def _next(self) -> Job | None:
        with self._lock:
            if self._waiting and not self._failures:
                return self._waiting.pop()
            self._at_work -= 1
            return None

    def _leaves_to_others(self, job: Job, error: Exception) -> bool:
        """What has no room beside the others, in a key or a budget, has it after them."""
        has_no_room = isinstance(error, BudgetExhausted) or getattr(error, "code", None) == "upstream_full"
        with self._lock:
            if not has_no_room or self._at_work == 1:
                return False
            self._waiting.append(job)
            self._at_work -= 1
            return True


def _wait(threads: Sequence[threading.Thread], deadline: float) -> None:
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
