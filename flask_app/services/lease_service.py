"""Leases: this process renews those of its runs, which waits for nothing else, and keeps their text so far."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence, Set
from functools import partial
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import bindparam, exists, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing, reading, table_of
from flask_app.models import Message, Run
from flask_app.services import reaper_service, replay_service, run_locks, run_service, shared_clock, stop_service
from flask_app.services.run_service import LEASE, LiveRun

KEEP_SECONDS = 2  # as much of an answer a worker that is killed takes with it, uncounted
TICK_EVERY = 3  # a whole round each six seconds
KEPT_AT_ONCE = 1 << 16  # characters in one transaction
JUMP_SECONDS = 5
LOOK_SECONDS = 1

_runs, _messages = table_of(Run), table_of(Message)
_RENEW = (
    update(_runs)
    .where(_runs.c.id.in_(bindparam("runs", expanding=True)))
    .values(lease_expires_at=run_service.NEW_LEASE)
)
_KEEP = (
    update(_messages)
    .where(
        _messages.c.id == bindparam("message_id"),
        _messages.c.status == "running",
        exists().where(_runs.c.id == bindparam("run"), _runs.c.status == "running"),  # its own run, not a later one
    )
    .values(text=bindparam("new_text"), reasoning=bindparam("new_reasoning"))
)
_KEEP_COUNT = (
    update(_runs)
    .where(_runs.c.id == bindparam("run"), _runs.c.status == "running")
    .values(kept_tokens=bindparam("tokens"))
)

log = structlog.get_logger()
_ended = threading.Event()
_is_watching = False
_late: Set[str] = frozenset()  # runs whose rows somebody else held when their leases were due
_reaping_from = 0.0  # not before this moment of the monotonic clock
_ahead: float | None = None  # how far the database's clock was from the monotonic one
_parts_kept: WeakKeyDictionary[LiveRun, int] = WeakKeyDictionary()  # in how many parts the text had come by then


def watch() -> None:
    """Begin to look after leases and stops, on threads of their own; the server calls this once in each worker."""
    global _is_watching
    if not _is_watching:
        _is_watching = True
        threading.Thread(target=_repeat, args=[renew_late, renew], name="leases", daemon=True).start()
        threading.Thread(target=_watch, name="texts", daemon=True).start()
        threading.Thread(target=_watch_settlements, name="settlements", daemon=True).start()
        stop_service.watch()


def tick() -> None:
    """One round: keep and renew, settle what the journal holds, end what dead workers left."""
    renew()  # here too: a process that stood still wakes up to leases of its own that have lapsed
    keep()
    replay_service.replay()
    _notice_jumps()
    if time.monotonic() >= _reaping_from:
        reaper_service.reap_all()


def _notice_jumps() -> None:
    """When the database's clock jumps every lease is wrong until its worker has renewed it."""
    global _ahead
    with reading() as session:
        ahead = shared_clock.ask(session.connection()).timestamp() - time.monotonic()
    if _ahead is not None and abs(ahead - _ahead) > JUMP_SECONDS:
        _wait_for_renewals()
        log.warning("clock_jumped", seconds=round(ahead - _ahead))
    _ahead = ahead


def _wait_for_renewals() -> None:
    """Every worker gets the time to say that it lives."""
    global _reaping_from
    _reaping_from = time.monotonic() + LEASE.total_seconds()


def renew() -> None:
    """A fresh lease for every run of this process."""
    _renew(run_service.made_here())


def renew_late() -> None:
    """For those that could not have one at their last turn."""
    _renew(_late & run_service.made_here())


def _renew(runs: Set[str]) -> None:
    """Where somebody else holds a run's row, a machine without power perhaps, the others do not wait for it."""
    global _late
    _late = runs - set(in_writing(partial(_renewed, runs))) if runs else runs


def _renewed(runs: Set[str], connection: Connection) -> Sequence[str]:
    free = run_locks.lock_free(connection, runs)
    if free:
        connection.execute(_RENEW, {"runs": free})
    return free


def keep() -> None:
    """Write down the texts that have grown, a few at a time, so that no stream waits for all of them.

    Of what is answered to programs it is the tokens, estimated.
    """
    live_now = {live: _count_parts(live) for live in run_service.live_runs()}
    grown = {live: parts for live, parts in live_now.items() if parts != _parts_kept.get(live, 0)}
    texts, volume = [], 0
    for live in grown:
        if live.begun.message_id is None:
            continue
        text = _text_so_far(live)
        texts.append(text)
        volume += len(text["new_text"]) + len(text["new_reasoning"])
        if volume >= KEPT_AT_ONCE:
            _write(texts)
            texts, volume = [], 0
    _write(texts)
    _write_counts([live for live in grown if live.begun.message_id is None])
    _parts_kept.update(grown)


def _watch() -> None:
    _round(_notice_jumps)
    _round(replay_service.replay)
    _repeat(keep, tick)


def _repeat(small: Callable[[], None], whole: Callable[[], None]) -> None:
    """A small round each two seconds, and in place of every third a whole one."""
    for work in itertools.cycle([small] * (TICK_EVERY - 1) + [whole]):
        if _ended.wait(KEEP_SECONDS):
            return
        _round(work)


def _watch_settlements() -> None:
    """On a thread of its own, for the database may keep the others waiting."""
    while not _ended.wait(LOOK_SECONDS):
        _round(_journal_slow)


def _journal_slow() -> None:
    for live in run_service.live_runs():
        live.journal_if_slow()


def _round(work: Callable[[], None]) -> None:
    try:
        work()
    except SQLAlchemyError as error:  # the next round tries again; leases outlast several
        _wait_for_renewals()  # where the database was away nobody could
        log.warning("lease_round_failed", reason=str(error.__cause__ or error))
    except Exception:  # a fault of ours must not leave every later run without a lease
        log.exception("lease_round_failed")


def _write(texts: list[dict[str, str]]) -> None:
    if texts:
        in_writing(lambda connection: connection.execute(_KEEP, texts))
        time.sleep(0)


def _write_counts(grown: list[LiveRun]) -> None:
    counts = [{"run": live.begun.run_id, "tokens": live.completion.outcome.estimate} for live in grown]
    if counts:
        in_writing(lambda connection: connection.execute(_KEEP_COUNT, counts))


def _count_parts(live: LiveRun) -> int:
    outcome = live.completion.outcome
    return len(outcome.text_parts) + len(outcome.reasoning_parts) + len(outcome.call_parts)


def _text_so_far(live: LiveRun) -> dict[str, str]:
    outcome = live.completion.outcome
    words = {"new_text": outcome.whole_text, "new_reasoning": outcome.whole_reasoning}
    return {"message_id": live.begun.message_id or "", "run": live.begun.run_id, **words}
