"""What a reader hears of a run that another worker makes. Between its words nobody here waits for the database."""

import time
from collections.abc import Generator, Iterator

from flask_app.models import Run
from flask_app.services import closing, followers, run_events
from flask_app.services.followers import Followed
from flask_app.services.run_events import Begun
from flask_app.streams import broker
from flask_app.streams.lost import LogLost
from flask_app.streams.memory import HEARTBEAT, MemoryLog, number_of

POLL_SECONDS = 1
REPLAYED = 10**8  # numbers above are those of stored answers, which are always told from their beginning
_BROKEN_OFF = ("interrupted", "stopped")  # perhaps by somebody else than its worker


def follow(run: Run, after: int, locale: str) -> Iterator[bytes]:
    """The run's events after number `after`: its log, whoever keeps it, else the answer once it is stored."""
    with followers.following(run) as followed:
        place = after if after >= REPLAYED else (yield from _logged(followed, after))
        if place is not None:
            yield from _stored(followed, run, place, locale)


def _logged(followed: Followed, after: int) -> Generator[bytes, None, int | None]:
    """The log; gives the number of the last event told where the stored answer has the rest, or None.

    A run whose worker died is waited for: its lease runs out soon. A process that leaves waits for nothing.
    """
    while True:
        place = yield from _shared(followed, after)
        if place is None or followed.status != "running":
            return place
        if closing.is_leaving():
            return None
        after = place
        yield HEARTBEAT
        time.sleep(POLL_SECONDS)


def _shared(followed: Followed, after: int) -> Generator[bytes, None, int | None]:
    """The run's log as far as it can be had; gives the number of the last event told, or None at the log's end.

    A reader that has heard more than there is in the log, from a worker that died since, does not hear its end there.
    """
    events, told = broker().find(followed.run_id), after
    if events is None:
        return told
    try:
        for block in events.read(after):
            yield block
            if block != HEARTBEAT:
                told = number_of(block)
            elif followed.status != "running":
                return told
    except LogLost:
        return told
    if told > after:
        return None
    yield from followed.looked()
    return after if followed.status in _BROKEN_OFF else None


def _stored(followed: Followed, run: Run, after: int, locale: str) -> Iterator[bytes]:
    with followed.wanted():
        yield from followed.looked()
    stored = followed.answer
    if stored is None:  # it went with its conversation
        return
    after = max(after, REPLAYED)
    events = MemoryLog(numbered_from=after)
    run_events.replay(events, Begun.of(run, stored.title, locale), stored)
    yield from events.read(after)
