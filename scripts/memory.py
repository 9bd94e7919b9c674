"""What a process has of the machine's memory, and how it gives back what it needs no more."""

import gc
import resource
from collections.abc import Callable
from pathlib import Path

GROWTH, MUCH = 1 << 20, 64 << 20  # bytes


class Memory:
    """`trim` is glibc's malloc_trim."""

    def __init__(self, trim: Callable[[int], object]) -> None:
        self._trim = trim
        self._least = 0

    def tidy(self, *, is_idle: bool) -> None:
        """Have what lies free given back, and before that, if nobody waits, what only refers to itself collected.

        A collection holds up whoever asks for a page meanwhile: there is none unless memory has grown. Where somebody
        always waits, there is one once it has grown by MUCH.
        """
        if resident() > self._least + (GROWTH if is_idle else MUCH):
            gc.collect()
            self._trim(0)
            self._least = resident()
            return
        self._trim(0)
        self._least = min(self._least, resident())


def resident() -> int:
    """Bytes of this process in memory now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()
