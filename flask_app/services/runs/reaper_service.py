"""What dead workers left: their runs are ended with the text that was kept, and their tokens booked as an estimate."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, bindparam, case, event, exists, func, or_, select, update
from sqlalchemy.orm import Session

from flask_app import metrics, offload
from flask_app.column_types import ByServer
from flask_app.database import reading, table_of, transaction, utc_now
from flask_app.domain.budget import Hold
from flask_app.domain.serving import LOCAL, SEARXNG
from flask_app.domain.tools import CHANNEL as CHAT
from flask_app.domain.web_sources import CHANNEL as SEARCH
from flask_app.domain.web_sources import FAILED, STOPPED
from flask_app.i18n import DEFAULT_LOCALE
from flask_app.models import Attempt, Conversation, Message, Provider, Run, User
from flask_app.services.completion import counting
from flask_app.services.completion.attempts import Call, Dispatched, Earlier, Entry, Outcome
from flask_app.services.ledger import journal, metering_service
from flask_app.services.runs import answer_service, run_events, run_locks, run_service
from flask_app.services.runs.run_service import LEASE
from flask_app.services.tools import tool_audit, tool_calls
from flask_app.services.web_search import searches
from flask_app.streams import broker

REAPED_AT_ONCE = 500
REAPING_SECONDS = 5  # of a round: before the next one the clocks are looked at again

_runs = table_of(Run)
# One that reaches further than a lease was given before the clock was set back.
_HAS_LAPSED = or_(Run.lease_expires_at < ByServer(0), Run.lease_expires_at > ByServer(2 * LEASE.seconds))
_ENDED = case((Run.stop_requested.is_(None), "interrupted"), else_="stopped")
_READERS = (
    select(Run, Conversation.title, func.coalesce(User.locale, User.seen_locale))
    .outerjoin(Conversation, Conversation.id == Run.conversation_id)
    .join(User, User.id == Run.user_id)
    .where(Run.id == bindparam("run"))
)
_HAD_A_ROUND = select(
    exists().where(Attempt.run_id == bindparam("run"), Attempt.channel == CHAT, Attempt.state == "settled")
)
_LOST = Outcome(status="interrupted", error_code="interrupted")  # no text is left: the question is booked

log = structlog.get_logger()


def reap_all() -> bool:
    """End what dead workers left: as many as there is time for. Were there any? Then there may be more."""
    deadline = time.monotonic() + REAPING_SECONDS
    ended = False
    for run_id in _in_time(_lapsed(), deadline):
        if _end_one(partial(reap, run_id=run_id), run=run_id):
            ended = True
            metrics.REAPED.labels("run").inc()
            _tell_readers(run_id)
    for attempt_id in _in_time(_abandoned(), deadline):
        ended = _end_one(partial(book_lost, attempt_id=attempt_id), attempt=attempt_id) or ended
    return ended


def reap(session: Session, run_id: str) -> bool:
    """End a run whose lease lapsed: its text stays, its tokens are booked. False when another was first, or holds it.

    One that somebody had asked to stop is stopped.
    """
    connection = session.connection()
    if not run_locks.lock_free(connection, [run_id], _HAS_LAPSED):
        return False
    connection.execute(update(_runs).where(_runs.c.id == run_id).values(status=_ENDED))
    run = session.get_one(Run, run_id)
    if run.message_id is None:
        outcome = _outcome(run, kept_tokens=run.kept_tokens or 0)
        answer_service.forget(connection, run_id, outcome)
    else:
        outcome = _kept(session, run)
        answer_service.save(connection, run.message_id, outcome)
        tool_audit.end_of_run(connection, run_id, is_stopped=outcome.status == "stopped")
    _book(session, outcome, Attempt.run_id == run_id)
    log.warning("run_reaped", run=run_id)
    return True


def book_unfinished(session: Session, conversation_id: str) -> None:
    """Before a conversation goes: book what dead workers began in it, while the texts are there to count.

    One that lives books its own, also where the conversation has gone meanwhile.
    """
    left = (Run.conversation_id == conversation_id, Run.status == "running", _HAS_LAPSED)
    for run in session.scalars(select(Run).where(*left)).all():
        if run.id not in run_service.made_here():
            _book(session, _kept(session, run), Attempt.run_id == run.id)


def book_lost(session: Session, attempt_id: str) -> bool:
    """Book an attempt whose words are gone, with those of its run. False when it has ended, or the journal holds it."""
    run_id = session.scalar(select(Attempt.run_id).where(Attempt.id == attempt_id))
    return _book(session, _LOST, Attempt.run_id == run_id if run_id else Attempt.id == attempt_id) > 0


def _end_one(work: Callable[[Session], bool], **what: str) -> bool:
    """One that cannot be ended now does not keep the others waiting: the next round tries again."""
    try:
        with transaction() as session:
            return work(session)
    except Exception:
        log.exception("not_reaped", **what)
        return False


def _tell_readers(run_id: str) -> None:
    with reading() as session:
        run, title, locale = session.execute(_READERS, {"run": run_id}).one_or_none() or (None, "", None)
        ending = answer_service.how_it_ended(session.connection(), run_id)
    if run and ending:  # else it has just gone with its conversation
        begun = run_events.begun_of(run, title, locale or DEFAULT_LOCALE)
        broker().end(run_id, *run_events.ended(begun, ending))


def _abandoned() -> list[str]:
    """Attempts that nobody will end: their run is over, or went with its conversation before its worker died."""
    going_on = exists().where(Run.id == Attempt.run_id, Run.status == "running")
    long_ago = Attempt.created_at < utc_now() - LEASE
    query = select(Attempt.id, Attempt.run_id).where(Attempt.state == "dispatched", long_ago, ~going_on)
    with reading() as session:
        found = session.execute(query.limit(REAPED_AT_ONCE)).all()
    made_here, waiting = run_service.made_here(), journal.waiting()
    return [attempt.id for attempt in found if attempt.run_id not in made_here and attempt.id not in waiting]


def _lapsed() -> list[str]:
    """Runs of dead workers. What the journal has an exact settlement for is left to the journal."""
    journalled = exists().where(Attempt.run_id == Run.id, Attempt.id.in_(journal.waiting()))
    lapsed = (Run.status == "running", _HAS_LAPSED, ~journalled)
    with reading() as session:
        return list(session.scalars(select(Run.id).where(*lapsed).limit(REAPED_AT_ONCE)))


def _in_time(ids: list[str], deadline: float) -> Iterator[str]:
    """In no order: other workers are at the same. After each of them whoever else has something to do has a turn."""
    for each in random.sample(ids, len(ids)):
        if time.monotonic() > deadline:
            return
        yield each
        offload.give_way()


def _kept(session: Session, run: Run) -> Outcome:
    """How an answer ended whose worker died: with the text that was kept."""
    message = session.get_one(Message, run.message_id)
    before, thought_before = run.text_before or 0, run.reasoning_before or 0
    text, reasoning = message.text[before:], message.reasoning[thought_before:]
    own, time_before = message.thinking_ms, 0 if reasoning else message.thinking_ms  # what is kept is the sum
    is_told = run.text_before is not None and tool_calls.has_run(session.connection(), run.id)
    earlier = Earlier(message.text[:before], message.reasoning[:thought_before], time_before, is_told=is_told)
    parts = {"text_parts": [text] if text else [], "reasoning_parts": [reasoning] if reasoning else []}
    return _outcome(run, earlier=None if run.text_before is None else earlier, thinking_ms=own, **parts)


def _outcome(run: Run, **had: Any) -> Outcome:
    """How a run ended whose worker died, with what it had by then."""
    return Outcome(
        **had,
        status="stopped" if run.stop_requested else "interrupted",
        error_code=None if run.stop_requested else "interrupted",
        # Written by this process, and never begun: the reply to that COMMIT was lost.
        asked=run.worker != run_service.WORKER or run.id in run_service.made_here(),
    )


def _book(session: Session, outcome: Outcome, *which: ColumnElement[bool]) -> int:
    """How many attempts there were to book."""
    waiting = journal.waiting()
    found = session.scalars(select(Attempt).where(*which, Attempt.state == "dispatched")).all()
    left = [attempt for attempt in found if attempt.id not in waiting]
    is_looked_up = _is_looked_up(session, found)
    for attempt in left:
        how = _how(attempt, outcome, is_looked_up=is_looked_up)
        entry = metering_service.settle(session.connection(), _dispatched(session, attempt), how)
        if attempt.channel == SEARCH:
            _end_search(session, attempt, how)
        event.listen(session, "after_commit", partial(_count_reaped, attempt.model, entry))
    return len(left)


def _is_looked_up(session: Session, found: Sequence[Attempt]) -> bool:
    """Was a question being looked up, so that nobody had been asked for its answer?

    After a round the searches are the model's own, and one that waits in a journal elsewhere says nothing of the next.
    """
    run_id = next((attempt.run_id for attempt in found if attempt.channel == SEARCH), None)
    return run_id is not None and not session.scalar(_HAD_A_ROUND, {"run": run_id})


def _how(attempt: Attempt, outcome: Outcome, *, is_looked_up: bool) -> Outcome:
    """How it ended whose worker died: of a search what was on its way is booked."""
    if attempt.channel == SEARCH:
        return Outcome(status=outcome.status, error_code=outcome.error_code, asked=outcome.asked)
    is_open = attempt.channel == CHAT and attempt.prompt_estimate == 0  # while its round's calls were made
    return replace(outcome, asked=False) if is_open or is_looked_up else outcome


def _end_search(session: Session, attempt: Attempt, outcome: Outcome) -> None:
    """What it may have found nobody has."""
    status, question = STOPPED if outcome.status == "stopped" else FAILED, attempt.message_id or ""
    searches.end_of_question(session.connection(), question, status=status, error_code=outcome.error_code)


def _count_reaped(model: str, entry: Entry | None, _: Session) -> None:
    metrics.REAPED.labels("attempt").inc()
    counting.booked(model, entry)


def _dispatched(session: Session, attempt: Attempt) -> Dispatched:
    provider = session.get_one(Provider, attempt.provider_id)
    call = Call(
        user_id=attempt.user_id,
        channel=attempt.channel,
        model=attempt.model,
        provider_id=attempt.provider_id,
        currency="" if provider.kind in {LOCAL, SEARXNG} else provider.currency,
        request_id=attempt.request_id,
        address=attempt.address,
        prompt_estimate=attempt.prompt_estimate,
        run_id=attempt.run_id,
        message_id=attempt.message_id,
        token_id=attempt.token_id,
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
