"""A run's event log: what its readers follow, from wherever they last were. `connect` decides once who keeps it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from flask_app.streams.memory import MemoryBroker
from flask_app.streams.outlet import Outlet

Named = tuple[str, bytes]  # an event: its name, and its JSON


class RunLog(Protocol):
    """The events of one run in order, numbered from 1, each kept as the bytes that go to readers."""

    @property
    def unread_since(self) -> float | None:
        """The moment, on the monotonic clock, since when nobody has read; None while somebody does."""

    def append(self, event: str, payload: bytes) -> None:
        """Add an event (`payload` is its JSON) and wake the readers."""

    def together(self) -> AbstractContextManager[None]:
        """What is added in the block, without waiting, goes to readers in one piece."""

    def finish(self, last: Sequence[Named] = ()) -> None:
        """Add the last events, which go out together, and say that none follows."""

    def read(self, after: int = 0, outlet: Outlet | None = None) -> Iterator[bytes]:
        """Everything after event number `after`, as it comes; ends with the run. Comments keep the line alive.

        While the iterator waits, events may go to `outlet` instead.
        """


class Readable(Protocol):
    """A log that is followed here; it may be another process that writes it."""

    def read(self, after: int = 0) -> Iterator[bytes]:
        """As `RunLog.read`; raises `lost.LogLost` when nothing more can be learned of the log for now."""


class Broker(Protocol):
    """Keeps the logs of runs for as long as readers may come back to them, and lets processes nudge each other.

    None of its calls waits for another machine.
    """

    def open(self, run_id: str) -> RunLog:
        """A new, empty log."""

    def find(self, run_id: str) -> Readable | None:
        """The log of a run that goes on or has just ended; None where none can be had."""

    def end(self, run_id: str, event: str, payload: bytes) -> None:
        """Add a last event to the log of a process that died."""

    def forget(self, run_ids: Sequence[str]) -> None:
        """Drop the logs of runs whose conversation was deleted."""

    def attend(self, look: Callable[[], None]) -> None:
        """Begin to listen: `look` is called when another process nudges this one."""

    def nudge(self, worker: str) -> None:
        """Have another process look for what is asked of it. A hint: it may be lost."""

    def missing(self) -> list[str]:
        """What this process should reach and does not."""

    def let_go(self) -> None:
        """Let the readers of other processes' logs go, and take in no more of them: this process is about to end."""

    def flush(self) -> None:
        """Let other processes have what is written; gives up after a second."""


_broker: Broker = MemoryBroker()


def connect(url: str | None, worker: str) -> None:
    """Keep logs in this process, or share them over the Redis at `url` as the process named `worker`."""
    global _broker
    if url is None:
        _broker = MemoryBroker()
        return
    from flask_app.streams.redis.broker import RedisBroker  # the library costs memory that one process need not spend

    _broker = RedisBroker(url, worker)


def broker() -> Broker:
    return _broker
