"""A log of this process on its way to Redis: what to send next, and what the replies mean."""

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from redis.exceptions import ResponseError

from flask_app.streams.memory import MemoryLog
from flask_app.streams.redis import entries
from flask_app.streams.redis.entries import Command

Step = tuple[Command, Callable[[Any], None]]  # what to send, and what to do with its reply

REFRESHED_SECONDS = 5  # how often a log that goes on is kept from expiring, and seen to be there
MOST_BYTES = 1 << 18  # in one entry
MOST_SHARED_BYTES = 1 << 23  # of one run; a longer one is read from the database when it has ended
_OVERTAKEN = "equal or smaller"  # in Redis's words for an id that is not above the newest one

log = structlog.get_logger()


class SharedLog:
    """`number` is the last event that Redis has.

    `hurried`: there is more to send at once; `done`: there will never be anything more.
    """

    def __init__(self, run_id: str, source: MemoryLog) -> None:
        self.run_id = run_id
        self.number = 0
        self.size = 0  # in bytes, of what was sent last
        self.hurried = False
        self.done = False
        self._key = entries.key_of(run_id)
        self._source = source
        self._sent = 0  # bytes in all
        self._unsure = False
        self._kept_at = 0.0

    def is_expired(self, now: float) -> bool:
        """Has it ended so long ago that nobody comes back to it?"""
        ended_at = self._source.ended_at
        return ended_at is not None and now - ended_at > entries.KEPT_SECONDS

    def steps(self, now: float) -> list[Step]:
        """What is to be sent at the moment `now` (monotonic)."""
        self.hurried, self.size = False, 0
        if self._unsure:
            return [(entries.tip(self._key), self._learned)]
        ended = self._source.ended_at is not None  # asked first: no event follows an end
        fresh = self._source.since(self.number)
        if not fresh and ended:
            return [(entries.seal(self._key, self.number), self._sealed), (entries.keep(self._key), _heed)]
        steps = [self._addition(fresh)] if fresh else []
        self.hurried |= ended
        if self.number and now - self._kept_at > REFRESHED_SECONDS:
            steps.append((entries.keep(self._key), partial(self._kept, now)))
        return steps

    def _addition(self, fresh: list[bytes]) -> Step:
        if self._sent > MOST_SHARED_BYTES:
            return ("DEL", self._key), self._given_up
        count = 0
        while count < len(fresh) and self.size < MOST_BYTES:
            self.size += len(fresh[count])
            count += 1
        self.hurried = count < len(fresh)
        return entries.add(self._key, self.number + 1, fresh[:count]), partial(self._added, self.number + count)

    def _added(self, number: int, reply: Any) -> None:
        if self._stands(reply):
            self.number = number
            self._sent += self.size

    def _sealed(self, reply: Any) -> None:
        self.done = self._stands(reply)

    def _kept(self, now: float, reply: Any) -> None:
        _heed(reply)
        if reply:
            self._kept_at = now
        else:
            self._begin_anew()

    def _stands(self, reply: Any) -> bool:
        """Was the entry taken? Where it was not, the next steps find out why, or write the whole log again."""
        if isinstance(reply, ResponseError) and _OVERTAKEN in str(reply):
            self._unsure = self.hurried = True
            return False
        _heed(reply)
        if reply is None:
            self._begin_anew()
        return reply is not None

    def _learned(self, reply: Any) -> None:
        """The newest entry: one of our own whose reply was lost, or the end that a reaper wrote."""
        _heed(reply)
        self._unsure, self.hurried = False, True
        if not reply:
            self._begin_anew()
            return
        newest = reply[0][0]
        if entries.is_sealed(newest):
            self.done = True
            return
        self.number = min(entries.number_of(newest), self._source.last)

    def _begin_anew(self) -> None:
        self.number = self._sent = 0
        self.hurried = True

    def _given_up(self, reply: Any) -> None:
        _heed(reply)
        self.done = True
        log.warning("run_too_long_to_share", run=self.run_id)


def _heed(reply: Any) -> None:
    if isinstance(reply, Exception):
        raise reply
