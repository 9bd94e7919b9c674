"""The most memory that a process tree takes while something happens."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bench import proc

EVERY = 0.25


@dataclass(slots=True)
class Memory:
    """Megabytes of PSS: before, and the most seen since."""

    before: float
    most: float

    @property
    def more(self) -> float:
        return self.most - self.before


@contextmanager
def watched(pid: int) -> Iterator[Memory]:
    before = proc.pss_megabytes(pid)
    memory, ended = Memory(before, before), threading.Event()

    def look() -> None:
        while not ended.wait(EVERY):
            with suppress(OSError, StopIteration):  # a child has ended in between
                memory.most = max(memory.most, proc.pss_megabytes(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()
