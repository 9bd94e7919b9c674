"""Leases: this process renews those of its runs, which waits for nothing else, and keeps their text so far."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Sequence, Set
from functools import partial
from typing import Any

import structlog
from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app import offload
from flask_app.column_types import ByServer
from flask_app.database import fetching, in_writing, reading, table_of
from flask_app.models import Message, Run
from flask_app.services.ledger import replay_service, shared_clock
from flask_app.services.runs import reaper_service, run_locks, run_service, stop_service
from flask_app.services.runs.counted_words import Counted
from flask_app.services.runs.run_service import LEASE, LiveRun
from flask_app.statements import Act, Prepared, Query, run_together

KEEP_SECONDS = 2  # as much of an answer a worker that is killed takes with it, uncounted
TICK_EVERY = 3
ROUND_SECONDS = TICK_EVERY * KEEP_SECONDS
KEPT_AT_ONCE = 1 << 16  # characters in one transaction
COUNTED_AT_ONCE = 50  # answers to programs in one transaction: whoever ends one of them waits for that
JUMP_SECONDS = 5
LOOK_SECONDS = 1
BEGINNING_SECONDS = 2 * ROUND_SECONDS  # whoever lives has renewed by then
AGED_SECONDS = ROUND_SECONDS + KEEP_SECONDS  # no lease is so old that is renewed in time

_runs, _messages = table_of(Run), table_of(Message)
_RENEW = (
    update(_runs)
    .where(_runs.c.id.in_(bindparam("runs", expanding=True)))
    .values(lease_expires_at=run_service.NEW_LEASE)
)
_ARE_AGED = Query(
    select(
        exists()
        .where(_runs.c.status == "running", _runs.c.worker == bindparam("own"))
        .where(
            or_(
                _runs.c.lease_expires_at < ByServer(LEASE.seconds - AGED_SECONDS),
                _runs.c.lease_expires_at > ByServer(2 * LEASE.seconds),
            )
        )
        .label("are_aged")
    )
)
_EXPIRE = (
    update(_runs)
    .where(_runs.c.status == "running", _runs.c.worker != bindparam("own"))
    .values(lease_expires_at=ByServer(-1))
)
_KEEP = Prepared(
    update(_messages)
    .where(
        _messages.c.id == bindparam("message_id"),
        _messages.c.status == "running",
        exists().where(_runs.c.id == bindparam("run"), _runs.c.status == "running"),  # its own run, not a later one
    )
    .values({name: bindparam(f"new_{name}") for name in ("text", "reasoning", "thinking_ms")})
)
_KEEP_COUNT = Prepared(
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
_parts_kept: dict[str, int] = {}  # by run: in how many parts the text had come by then
_counted: dict[str, Counted] = {}  # by run: what had been counted by then of what is answered to programs


def watch(*, is_alone: bool = False) -> None:
    """Begin to look after leases and stops, on threads of their own; the server calls this once in each worker.

    None of them waits for another: a row that somebody holds keeps one of them. `is_alone`: whoever made answers of
    this instance before is dead. Otherwise nobody is taken for dead at first: the database may just have come back.
    """
    global _is_watching
    if not _is_watching:
        _is_watching = True
        log.info("worker_began", worker=run_service.WORKER, process=os.getpid())
        if not is_alone:
            _wait_for_renewals(BEGINNING_SECONDS)
        threading.Thread(target=_watch_leases, name="leases", daemon=True).start()
        threading.Thread(target=_watch_texts, name="texts", daemon=True).start()
        threading.Thread(target=_watch_journal, name="journal", daemon=True).start()
        threading.Thread(target=_watch_the_dead, kwargs={"is_alone": is_alone}, name="reaper", daemon=True).start()
        threading.Thread(target=_watch_settlements, name="settlements", daemon=True).start()
        stop_service.watch()


def tick() -> None:
    """One round: keep and renew, settle what the journal holds, end what dead workers left."""
    keep()
    replay_service.replay()
    end_the_dead()


def end_the_dead() -> None:
    """End what dead workers left until there is nothing more of it that can be ended now."""
    while True:
        if _are_aged():  # a process that stood still wakes up to leases of its own that have lapsed
            renew()
        _notice_jumps()
        if time.monotonic() < _reaping_from or not reaper_service.reap_all():
            return


def _are_aged() -> bool:
    """Has a run of this process a lease that nobody has renewed in time, by the database's own clock?"""
    with fetching() as connection:
        return bool(_ARE_AGED.value(connection, {"own": run_service.WORKER}))


def _end_all_before() -> None:
    """Nobody else lives: what stands as running, but for what has begun here by now, has no lease to be waited for."""
    in_writing(lambda connection: connection.execute(_EXPIRE, {"own": run_service.WORKER}))
    end_the_dead()


def _notice_jumps() -> None:
    """When the database's clock jumps every lease is wrong until its worker has renewed it."""
    global _ahead
    with reading() as session:
        ahead = shared_clock.ask(session.connection()).timestamp() - time.monotonic()
    if _ahead is not None and abs(ahead - _ahead) > JUMP_SECONDS:
        _wait_for_renewals()
        log.warning("clock_jumped", seconds=round(ahead - _ahead))
    _ahead = ahead


def _wait_for_renewals(seconds: float = LEASE.total_seconds()) -> None:
    """Every worker gets the time to say that it lives."""
    global _reaping_from
    _reaping_from = max(_reaping_from, time.monotonic() + seconds)


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
    global _parts_kept
    live_now = run_service.live_runs()
    parts = {live.begun.run_id: _count_parts(live) for live in live_now}
    grown = [live for live in live_now if parts[live.begun.run_id] != _parts_kept.get(live.begun.run_id, 0)]
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
    _parts_kept = parts


def _watch_journal() -> None:
    _round(replay_service.replay)
    while not _ended.wait(ROUND_SECONDS):
        _round(replay_service.replay)


def _watch_the_dead(*, is_alone: bool) -> None:
    """However many there are, and whatever row it waits for, texts are kept and the journal is settled meanwhile."""
    _round_of_leases(_notice_jumps)
    if is_alone:
        _round_of_leases(_end_all_before)
    since = time.monotonic()
    while not _ended.wait(ROUND_SECONDS):
        if time.monotonic() - since > ROUND_SECONDS + JUMP_SECONDS:
            _wait_for_renewals()  # this process stood still, and others may have with it
        _round_of_leases(end_the_dead)
        since = time.monotonic()


def _watch_leases() -> None:
    """All each six seconds, and each two those that could not be renewed."""
    for work in itertools.cycle([renew_late] * (TICK_EVERY - 1) + [renew]):
        if _ended.wait(KEEP_SECONDS):
            return
        _round_of_leases(work)


def _watch_texts() -> None:
    while not _ended.wait(KEEP_SECONDS):
        _round(keep)


def _watch_settlements() -> None:
    """On a thread of its own, for the database may keep the others waiting."""
    while not _ended.wait(LOOK_SECONDS):
        _round(_notice_slow)


def _notice_slow() -> None:
    for live in run_service.live_runs():
        if live.is_settling:  # few are, and the others' locks are left alone
            live.wait_if_slow()


def _round_of_leases(work: Callable[[], None]) -> None:
    """Where leases cannot be looked at just now, others cannot renew theirs either."""
    if not _round(work):
        _wait_for_renewals()


def _round(work: Callable[[], None]) -> bool:
    """False where the database was away."""
    try:
        work()
    except SQLAlchemyError as error:  # the next round tries again; leases outlast several
        log.warning("lease_round_failed", reason=str(error.__cause__ or error))
        return False
    except Exception:  # a fault of ours must not leave every later run without a lease
        log.exception("lease_round_failed")
    return True


def _write(texts: list[dict[str, Any]]) -> None:
    if texts:
        in_writing(lambda connection: run_together(connection, Act(_KEEP, texts)))
        offload.give_way()


def _write_counts(grown: list[LiveRun]) -> None:
    """Only what is new is counted: an answer may be long."""
    global _counted
    here = run_service.made_here()
    _counted = {run: words for run, words in _counted.items() if run in here}
    for start in range(0, len(grown), COUNTED_AT_ONCE):
        outcomes = {live.begun.run_id: live.completion.outcome for live in grown[start : start + COUNTED_AT_ONCE]}
        some = {run: _counted.get(run, Counted()).upto(outcome) for run, outcome in outcomes.items()}
        _counted |= some
        _write_some([{"run": run, "tokens": words.tokens} for run, words in some.items()])


def _write_some(counts: list[dict[str, Any]]) -> None:
    in_writing(lambda connection: run_together(connection, Act(_KEEP_COUNT, counts)))


def _count_parts(live: LiveRun) -> int:
    outcome = live.completion.outcome
    before = len(outcome.earlier.text) + len(outcome.earlier.reasoning) if outcome.earlier else 0  # of earlier rounds
    return before + len(outcome.text_parts) + len(outcome.reasoning_parts) + len(outcome.call_parts)


def _text_so_far(live: LiveRun) -> dict[str, Any]:
    outcome = live.completion.outcome
    words = {"new_text": outcome.whole_text, "new_reasoning": outcome.kept_reasoning}
    time = {"new_thinking_ms": outcome.whole_thinking_ms}
    return {"message_id": live.begun.message_id or "", "run": live.begun.run_id, **words, **time}
