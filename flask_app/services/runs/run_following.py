"""What a reader hears of a run that another worker makes. Between its words nobody here waits for the database."""

import time
from collections.abc import Generator, Iterator
from contextlib import nullcontext

from flask_app.models import Run
from flask_app.services.runs import closing, followers, run_events
from flask_app.services.runs.followers import Followed
from flask_app.services.runs.run_events import Begun
from flask_app.streams import broker
from flask_app.streams.keeper import HEARTBEAT
from flask_app.streams.lost import LogLost
from flask_app.streams.memory import MemoryLog, number_of

POLL_SECONDS = 1
PATIENCE = 3  # so often in turn a log is looked for in vain before the database tells its words
REPLAYED = 10**8  # numbers above are those of stored answers, which are always told from their beginning
_BROKEN_OFF = ("interrupted", "stopped")  # perhaps by somebody else than its worker


def follow(run: Run, after: int, locale: str) -> Iterator[bytes]:
    """The run's events after number `after`: its log, whoever keeps it, else the answer as the database has it.

    Who has been told that goes on with it to its end, on whichever worker: the numbers are other ones.
    """
    with followers.following(run) as followed:
        place = after if after >= REPLAYED else (yield from _logged(followed, after, is_stored=bool(run.message_id)))
        if place is not None:
            yield from _stored(followed, run, place, locale) if run.message_id else _end(followed, run, place, locale)


def _logged(followed: Followed, after: int, *, is_stored: bool) -> Generator[bytes, None, int | None]:
    """The log; gives the number of the last event told where the stored answer has the rest, or None.

    A run whose worker died is waited for: its lease runs out soon. A process that leaves waits for nothing.
    """
    in_vain = 0
    while True:
        place = yield from _shared(followed, after)
        if place is None or followed.status != "running":
            return place
        if closing.is_leaving():
            return None
        in_vain = 0 if place > after else in_vain + 1
        after = place
        with followed.wanted() if is_stored and in_vain >= PATIENCE else nullcontext():
            yield HEARTBEAT
            time.sleep(POLL_SECONDS)
        if in_vain >= PATIENCE and followed.answer and followed.answer.has_words:
            return after


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


def _end(followed: Followed, run: Run, after: int, locale: str) -> Iterator[bytes]:
    """How an answer of a temporary chat ended; its words have gone with its log. None of one that goes on."""
    if followed.status == "running":
        return
    last = max(after, REPLAYED)
    events = MemoryLog(numbered_from=last)
    run_events.replay_end(events, run_events.begun_of(run, None, locale), followed.status)
    yield from events.read(last)


def _stored(followed: Followed, run: Run, after: int, locale: str) -> Iterator[bytes]:
    """The answer as the database has it, from its beginning; while the run goes on, as it grows there."""
    last, told = max(after, REPLAYED), None
    with followed.wanted():
        yield from followed.looked()
        while stored := followed.answer:  # none where it went with its conversation
            events = MemoryLog(numbered_from=last)
            run_events.replay(events, Begun.of(run, stored.title, locale), stored, told)
            yield from events.read(last)
            if stored.is_over or closing.is_leaving():
                return
            if events.last == last:
                yield HEARTBEAT
            last, told = events.last, stored
            yield from followed.looked(at_once=False)
