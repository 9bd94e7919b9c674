"""What a store of contents can do, whatever it is."""

from collections.abc import Iterator
from typing import Protocol


class Away(Exception):
    """The store did not do what it was asked; it says why."""


class Store(Protocol):
    """Each raises Away."""

    def put(self, key: str, content: bytes) -> None:
        """It is there as a whole when this returns, or as good as not at all."""

    def part(self, key: str, start: int, length: int) -> bytes:
        """Less where it ends before; empty where there is no such object."""

    def remove(self, key: str) -> None:
        """Also of what is not there."""

    def listed(self) -> Iterator[list[str]]:
        """Of all that lie there, some at a time."""
