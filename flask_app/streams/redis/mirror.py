"""Another process's log as far as it has come here, for all readers of this process."""

import time
from collections.abc import Iterator

from flask_app.streams.lost import LogLost
from flask_app.streams.memory import MemoryLog
from flask_app.streams.redis import entries

UNREAD_SECONDS = 5  # how long a mirror is kept for a reader that comes back


class Mirror:
    """`place` is the entry that was read last; `asked` says that Redis has been asked for the log."""

    def __init__(self, run_id: str) -> None:
        self.key = entries.key_of(run_id)
        self.place = b"0-0"
        self.asked = False
        self.log = MemoryLog()
        self.wanted_at = time.monotonic()
        self._readers: set[object] = set()
        self._lost = False

    @property
    def is_absent(self) -> bool:
        return self.asked and self.place == b"0-0"

    @property
    def is_lost(self) -> bool:
        return self._lost

    @property
    def is_unread(self) -> bool:
        return not self._readers and time.monotonic() - self.wanted_at > UNREAD_SECONDS

    @property
    def ended(self) -> bool:
        return self.log.ended_at is not None

    def read(self, after: int = 0) -> Iterator[bytes]:
        reader = object()
        self._readers.add(reader)
        try:
            yield from self.log.read(after)
        finally:
            self._readers.discard(reader)
            self.wanted_at = time.monotonic()
        if self._lost:
            raise LogLost(max(after, self.log.last))

    def lose(self) -> None:
        """Let the readers go: nothing more can be learned."""
        if not self.ended:
            self._lost = True
            self.log.finish()

    def take(self, read: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        """Add what an entry holds beyond what is here: none is left out, none comes twice."""
        for place, fields in read:
            entry = entries.parse(fields)
            if entry is None or entry.first > self.log.last + 1:
                self.lose()
                return
            self.place = place
            if fresh := entry.frames[self.log.last + 1 - entry.first :]:
                self.log.extend(fresh)
            if entry.final:
                self.log.finish()
                return
