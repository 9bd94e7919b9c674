"""Where a reader's events leave the process, for a log that would rather feed its readers than wake them."""

from typing import Protocol


class Outlet(Protocol):
    """Takes events on behalf of a reader that sleeps."""

    @property
    def is_clogged(self) -> bool:
        """Is something of an event that was taken still here? Its reader must see to that."""

    def offer(self, frame: bytes) -> bool:
        """Take one event without waiting for anything; False leaves it to the reader."""
