"""A run's event log: what its readers follow, from wherever they last were."""

from collections.abc import Iterator
from typing import Protocol


class RunLog(Protocol):
    """The events of one run in order, numbered from 1, each kept as the bytes that go to readers."""

    def append(self, event: str, payload: bytes) -> None:
        """Add an event (`payload` is its JSON) and wake the readers."""

    def finish(self) -> None:
        """Say that no event follows."""

    def read(self, after: int = 0) -> Iterator[bytes]:
        """Everything after event number `after`, as it comes; ends with the run. Comments keep the line alive."""


class Broker(Protocol):
    """Keeps the logs of runs for as long as readers may come back to them."""

    def open(self, run_id: str) -> RunLog:
        """A new, empty log."""

    def find(self, run_id: str) -> RunLog | None:
        """The log of a run that goes on or has just ended; None once it has expired."""
