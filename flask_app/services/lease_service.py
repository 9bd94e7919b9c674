"""Leases: this process renews those of its runs, keeps their text so far, and ends the runs of dead workers."""

import itertools
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import ColumnElement, bindparam, case, event, exists, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from flask_app import metrics
from flask_app.column_types import ByServer
from flask_app.database import in_transaction, in_writing, reading, table_of, utc_now
from flask_app.domain.budget import Hold
from flask_app.i18n import DEFAULT_LOCALE
from flask_app.models import Attempt, Conversation, Message, Provider, Run, User
from flask_app.services import (
    answer_service,
    counting,
    journal,
    metering_service,
    replay_service,
    run_events,
    run_service,
    shared_clock,
    stop_service,
)
from flask_app.services.attempts import Call, Dispatched, Earlier, Entry, Outcome
from flask_app.services.run_events import Begun
from flask_app.services.run_service import LEASE, LiveRun
from flask_app.streams import broker

Ended = TypeVar("Ended")

KEEP_SECONDS = 2  # as much of an answer a worker that is killed takes with it, uncounted
TICK_EVERY = 3  # a whole round each six seconds
REAPED_AT_ONCE = 500
REAPING_SECONDS = 5  # of a round: what is made here is kept and renewed meanwhile by nobody
KEPT_AT_ONCE = 1 << 16  # characters in one transaction
JUMP_SECONDS = 5

_runs, _messages = table_of(Run), table_of(Message)
_RENEW = (
    update(_runs)
    .where(_runs.c.id.in_(bindparam("runs", expanding=True)), _runs.c.status == "running")
    .values(lease_expires_at=run_service.NEW_LEASE)
)
# One that reaches further than a lease was given before the clock was set back.
_HAS_LAPSED = or_(Run.lease_expires_at < ByServer(0), Run.lease_expires_at > ByServer(2 * LEASE.seconds))
_ENDED = case((Run.stop_requested.is_(None), "interrupted"), else_="stopped")
_KEEP = (
    update(_messages)
    .where(
        _messages.c.id == bindparam("message_id"),
        _messages.c.status == "running",
        exists().where(_runs.c.id == bindparam("run"), _runs.c.status == "running"),  # its own run, not a later one
    )
    .values(text=bindparam("new_text"), reasoning=bindparam("new_reasoning"))
)

_NOW = select(ByServer(0))
_READERS = (
    select(Run, Conversation.title, User.locale)
    .join(Conversation, Conversation.id == Run.conversation_id)
    .join(User, User.id == Run.user_id)
    .where(Run.id == bindparam("run"))
)
_LOST = Outcome(status="interrupted", error_code="interrupted")  # no text is left: the question is booked

log = structlog.get_logger()
_ended = threading.Event()
_watcher: threading.Thread | None = None
_reaping_from = 0.0  # not before this moment of the monotonic clock
_ahead: float | None = None  # how far the database's clock was from the monotonic one
_parts_kept: WeakKeyDictionary[LiveRun, int] = WeakKeyDictionary()  # in how many parts the text had come by then


def watch() -> None:
    """Begin to look after leases and stops, on threads of their own; the server calls this once in each worker."""
    global _watcher
    if _watcher is None:
        _watcher = threading.Thread(target=_watch, name="leases", daemon=True)
        _watcher.start()
        stop_service.watch()


def tick() -> None:
    """One round: keep and renew, settle what the journal holds, end what dead workers left."""
    _renew()
    keep()
    replay_service.replay()
    _notice_jumps()
    if time.monotonic() >= _reaping_from:
        _reap_all()


def _notice_jumps() -> None:
    """When the database's clock jumps every lease is wrong until its worker has renewed it."""
    global _ahead
    with reading() as session:
        ahead = shared_clock.learn(session.execute(_NOW).scalar_one()).timestamp() - time.monotonic()
    if _ahead is not None and abs(ahead - _ahead) > JUMP_SECONDS:
        _wait_for_renewals()
        log.warning("clock_jumped", seconds=round(ahead - _ahead))
    _ahead = ahead


def _wait_for_renewals() -> None:
    """Every worker gets the time to say that it lives."""
    global _reaping_from
    _reaping_from = time.monotonic() + LEASE.total_seconds()


def _reap_all() -> None:
    """As many as there is time for, in no order: other workers are at the same."""
    deadline = time.monotonic() + REAPING_SECONDS
    for run_id in _shuffled(_lapsed()):
        if time.monotonic() > deadline:
            return
        if _end_one(lambda session, run_id=run_id: reap(session, run_id), run=run_id):  # type: ignore[misc]
            metrics.REAPED.labels("run").inc()
            _tell_readers(run_id)
    for attempt_id in _shuffled(_abandoned()):
        only = Attempt.id == attempt_id
        _end_one(lambda session, only=only: _book(session, _LOST, only), attempt=attempt_id)  # type: ignore[misc]


def _shuffled(ids: list[str]) -> list[str]:
    return random.sample(ids, len(ids))


def keep() -> None:
    """Write down the texts that have grown, a few at a time, so that no stream waits for all of them."""
    live_now = {live: _count_parts(live) for live in run_service.live_runs()}
    grown = {live: parts for live, parts in live_now.items() if parts != _parts_kept.get(live, 0)}
    texts, volume = [], 0
    for live in grown:
        text = _text_so_far(live)
        texts.append(text)
        volume += len(text["new_text"]) + len(text["new_reasoning"])
        if volume >= KEPT_AT_ONCE:
            _write(texts)
            texts, volume = [], 0
    _write(texts)
    _parts_kept.update(grown)


def reap(session: Session, run_id: str) -> bool:
    """End a run whose lease lapsed: its text stays, its tokens are booked. False when another was first.

    One that somebody had asked to stop is stopped.
    """
    lapsed = (Run.id == run_id, Run.status == "running", _HAS_LAPSED)
    if session.connection().execute(update(_runs).where(*lapsed).values(status=_ENDED)).rowcount != 1:
        return False
    run = session.get_one(Run, run_id)
    outcome = _kept(run, session.get_one(Message, run.message_id))
    answer_service.save(session.connection(), run.message_id, outcome)
    _book(session, outcome, Attempt.run_id == run_id)
    log.warning("run_reaped", run=run_id)
    return True


def book_unfinished(session: Session, conversation_id: str) -> None:
    """Before a conversation goes: book what dead workers began in it, while the texts are there to count."""
    running = select(Run).where(Run.conversation_id == conversation_id, Run.status == "running")
    for run in session.scalars(running).all():
        if run.id not in _made_here():
            _book(session, _kept(run, session.get_one(Message, run.message_id)), Attempt.run_id == run.id)


def _watch() -> None:
    _round(_notice_jumps)
    _round(replay_service.replay)
    for work in itertools.cycle([keep] * (TICK_EVERY - 1) + [tick]):
        if _ended.wait(KEEP_SECONDS):
            return
        _round(work)


def _round(work: Callable[[], None]) -> None:
    try:
        work()
    except SQLAlchemyError as error:  # the next round tries again; leases outlast several
        _wait_for_renewals()  # where the database was away nobody could
        log.warning("lease_round_failed", reason=str(error.__cause__ or error))
    except Exception:  # a fault of ours must not leave every later run without a lease
        log.exception("lease_round_failed")


def _end_one(work: Callable[[Session], Ended], **what: str) -> Ended | None:
    """One that cannot be ended now does not keep the others waiting."""
    try:
        return in_transaction(work)
    except Exception:
        log.exception("not_reaped", **what)
        return None


def _tell_readers(run_id: str) -> None:
    with reading() as session:
        run, title, locale = session.execute(_READERS, {"run": run_id}).one_or_none() or (None, "", None)
        ending = answer_service.how_it_ended(session.connection(), run_id)
    if run and ending:  # else it has just gone with its conversation
        broker().end(run_id, *run_events.ended(Begun.of(run, title, locale or DEFAULT_LOCALE), ending))


def _renew() -> None:
    if runs := list(_made_here()):
        in_writing(lambda connection: connection.execute(_RENEW, {"runs": runs}))


def _write(texts: list[dict[str, str]]) -> None:
    if texts:
        in_writing(lambda connection: connection.execute(_KEEP, texts))
        time.sleep(0)


def _count_parts(live: LiveRun) -> int:
    outcome = live.completion.outcome
    return len(outcome.text_parts) + len(outcome.reasoning_parts)


def _text_so_far(live: LiveRun) -> dict[str, str]:
    outcome = live.completion.outcome
    words = {"new_text": outcome.whole_text, "new_reasoning": outcome.whole_reasoning}
    return {"message_id": live.begun.message_id, "run": live.begun.run_id, **words}


def _made_here() -> set[str]:
    return {live.begun.run_id for live in run_service.live_runs()}


def _abandoned() -> list[str]:
    """Attempts that nobody will end: their run is over, or went with its conversation before its worker died."""
    going_on = exists().where(Run.id == Attempt.run_id, Run.status == "running")
    long_ago = Attempt.created_at < utc_now() - LEASE
    query = select(Attempt.id, Attempt.run_id).where(Attempt.state == "dispatched", long_ago, ~going_on)
    with reading() as session:
        found = session.execute(query.limit(REAPED_AT_ONCE)).all()
    made_here, waiting = _made_here(), journal.waiting()
    return [attempt.id for attempt in found if attempt.run_id not in made_here and attempt.id not in waiting]


def _lapsed() -> list[str]:
    """Runs of dead workers. What the journal has an exact settlement for is left to the journal."""
    journalled = exists().where(Attempt.run_id == Run.id, Attempt.id.in_(journal.waiting()))
    lapsed = (Run.status == "running", _HAS_LAPSED, ~journalled)
    with reading() as session:
        return list(session.scalars(select(Run.id).where(*lapsed).limit(REAPED_AT_ONCE)))


def _kept(run: Run, message: Message) -> Outcome:
    """How an answer ended whose worker died: with the text that was kept."""
    before, thought_before = run.text_before or 0, run.reasoning_before or 0
    text, reasoning = message.text[before:], message.reasoning[thought_before:]
    earlier = Earlier(message.text[:before], message.reasoning[:thought_before])
    return Outcome(
        status="stopped" if run.stop_requested else "interrupted",
        earlier=earlier if run.text_before else None,
        text_parts=[text] if text else [],
        reasoning_parts=[reasoning] if reasoning else [],
        error_code=None if run.stop_requested else "interrupted",
        # Written by this process, and never begun: the reply to that COMMIT was lost.
        asked=run.worker != run_service.WORKER or run.id in _made_here(),
    )


def _book(session: Session, outcome: Outcome, *which: ColumnElement[bool]) -> None:
    waiting = journal.waiting()
    for attempt in session.scalars(select(Attempt).where(*which, Attempt.state == "dispatched")).all():
        if attempt.id in waiting:
            continue
        entry = metering_service.settle(session.connection(), _dispatched(session, attempt), outcome)
        event.listen(session, "after_commit", partial(_count_reaped, attempt.model, entry))


def _count_reaped(model: str, entry: Entry | None, _: Session) -> None:
    metrics.REAPED.labels("attempt").inc()
    counting.booked(model, entry)


def _dispatched(session: Session, attempt: Attempt) -> Dispatched:
    call = Call(
        user_id=attempt.user_id,
        channel=attempt.channel,
        model=attempt.model,
        provider_id=attempt.provider_id,
        currency=session.get_one(Provider, attempt.provider_id).currency,
        request_id=attempt.request_id,
        address=attempt.address,
        prompt_estimate=attempt.prompt_estimate,
        run_id=attempt.run_id,
        message_id=attempt.message_id,
    )
    hold = Hold(
        group_id=attempt.group_id,
        day=attempt.day,
        answer_tokens=attempt.max_tokens,
        tokens=attempt.reserved_tokens,
        micros=attempt.reserved_micros,
        currency=attempt.currency,
    )
    return Dispatched(attempt_id=attempt.id, call=call, key_id=attempt.key_id, at=attempt.created_at, hold=hold)
