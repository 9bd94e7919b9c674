"""How long something took the site, not counting what the machine took.

A busy machine has processes wait that could go on. Linux counts that wait for each thread (/proc/…/schedstat): it is
set off, and nothing else. Who sleeps, waits for a lock or computes for long is not excused; where the machine is quiet,
or does not count, nothing is.
"""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

NANOSECONDS = 1e-9


class Stopwatch:
    """Runs from its making. `stations` are passed one after the other, at one of their processes; so is this one."""

    def __init__(self, *stations: Sequence[int]) -> None:
        self._stations = ([os.getpid()], *stations)
        self._before = [[_waits(pid) for pid in station] for station in self._stations]
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """So far, less the longest wait for a processor at each station."""
        return time.monotonic() - self._began - self.waited

    @property
    def waited(self) -> float:
        pairs = zip(self._stations, self._before, strict=True)
        return sum(max(map(_longest, *pair), default=0) for pair in pairs) * NANOSECONDS


def _longest(pid: int, before: dict[str, int]) -> int:
    return max((wait - before.get(thread, 0) for thread, wait in _waits(pid).items()), default=0)


def _waits(pid: int) -> dict[str, int]:
    """In nanoseconds, of each thread."""
    return dict(_read(Path(f"/proc/{pid}/task").glob("*/schedstat")))


def _read(files: Iterable[Path]) -> Iterable[tuple[str, int]]:
    for file in files:
        try:
            yield file.parent.name, int(file.read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
