"""Runs: answers made on threads of their own, apart from any request, each ending exactly once."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import exists, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bind_contextvars

from flask_app import metrics
from flask_app.column_types import ByServer
from flask_app.database import new_id, reading, table_of, utc_now
from flask_app.errors import AppError, NotFound
from flask_app.models import Run, User
from flask_app.services.chat.chat_answer import ChatAnswer
from flask_app.services.completion import counting
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.completion.completion_service import Completion
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.completion.settling import settle
from flask_app.services.conversations.temporary_answer import TemporaryAnswer
from flask_app.services.ledger import journal, metering_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs import run_following
from flask_app.services.runs.run_answers import Answer
from flask_app.services.runs.run_following import REPLAYED
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools.tool_rounds import Rounds
from flask_app.services.web_search.lookup import Lookup
from flask_app.statements import Act, Prepared
from flask_app.streams import broker
from flask_app.streams.outlet import Outlet

WORKER = new_id()
LEASE = timedelta(seconds=30)  # how long a run is believed to be alive without a word from its worker
NEW_LEASE = ByServer(LEASE.seconds)
CROWD = 8  # from so many answers on settlements wait for each other
RETRY_SECONDS = (1, 2, 5, 10, 30)
SLOW_SECONDS = 2  # of settling
SHUTDOWN_SECONDS = 10
LOOK_SECONDS = 0.02

_COLUMNS = (
    "id",
    "user_id",
    "status",
    "worker",
    "discarded",
    "created_at",
    "token_id",
    "idempotency_key",
    "draft_digest",
)
_INSERT = Prepared(insert(table_of(Run)).values(lease_expires_at=NEW_LEASE))

log = structlog.get_logger()
_live: dict[str, "LiveRun"] = {}


class LiveRun:
    """A run that this process is making."""

    def __init__(self, answer: Answer, ticket: Ticket) -> None:
        self.answer = answer
        self.begun = answer.begun
        self.counts = int(answer.is_awaited)  # as an answer
        self.user_id, self.token_id = ticket.request.user_id, ticket.request.token_id
        self._request_id = ticket.request.request_id
        self.stop = StopSignal()
        self.completion = Completion(ticket, self.stop)
        self._ticket = ticket
        self._lookup: Lookup | None = None
        if ticket.search and isinstance(answer, ChatAnswer):
            self._lookup = Lookup(ticket.search, answer.tell_search)
        self._rounds: Rounds | None = None
        if ticket.tools and isinstance(answer, ChatAnswer):
            self._rounds = Rounds(ticket, ticket.tools, answer, self.stop)
        self._journalled = False
        self._journalling = threading.Lock()
        self._settling_since: float | None = None
        self.thread = threading.Thread(target=self._make, name=f"run-{self.begun.run_id}", daemon=True)

    def _make(self) -> None:
        bind_contextvars(request=self._request_id)  # the log names the request that asked for the answer
        try:
            if self._lookup is None or self._look_up(self._lookup):
                self._ask()
        except Exception:  # a fault of ours: the answer so far is kept and booked like any other
            log.exception("run_failed", run=self.begun.run_id)
            self.completion.fail("internal")
        if self._rounds:
            self._rounds.tell_ends(self.completion.outcome)
        self.completion.outcome.unread = self.answer.unread_since is not None
        try:
            entry = self._settle()
            self.answer.end(self.completion.outcome, entry, discarded=self.stop.discarded)
        finally:
            _live.pop(self.begun.run_id, None)
            metrics.ANSWERS_RUNNING.dec(self.counts)

    def _ask(self) -> None:
        if self._rounds is None:
            self.completion.ask(self.answer.tell_all)
        else:
            self._rounds.ask(self.completion, self._go_on_with)

    def _go_on_with(self, completion: Completion) -> None:
        self.completion = completion

    def _look_up(self, lookup: Lookup) -> bool:
        """Search the web; False where the answer is not to be asked for then."""
        self.completion.outcome.asked = False
        ticket = self._ticket
        try:
            request, sent = lookup.make(ticket.request, ticket.sent, self.stop)
        except AppError as error:
            self.completion.fail(error.code)
            return False
        self.completion = Completion(replace(ticket, request=request, sent=sent), self.stop)
        return True

    def _keep(self, connection: Connection, outcome: Outcome, *, hopes: bool) -> Sequence[Act]:
        if self._lookup:
            self._lookup.end(connection)
        kept = self.answer.keep(connection, outcome, hopes=hopes and self._rounds is None)
        if self._rounds:
            self._rounds.keep(connection, outcome)
        return kept

    def _settle(self) -> Entry | None:
        """Book and save, again and again while the database cannot: only then is the answer called done."""
        ended = self._settling_since = time.monotonic()
        pauses = itertools.chain(RETRY_SECONDS, itertools.repeat(RETRY_SECONDS[-1]))
        while True:
            try:
                sum_up, in_a_crowd = self.answer.sum_up, len(_live) > CROWD
                entry = self._settled(settle(self.completion, self._keep, sum_up=sum_up, in_a_crowd=in_a_crowd))
                metrics.SETTLEMENT_SECONDS.observe(time.monotonic() - ended)
                return entry
            except SQLAlchemyError as error:
                log.warning("settlement_failed", run=self.begun.run_id, reason=str(error.__cause__ or error))
            except Exception:  # a fault of ours, or a price that cannot be read: nothing is given up for it
                log.exception("settlement_failed", run=self.begun.run_id)
            metrics.SETTLEMENT_FAILURES.inc()
            self.completion.outcome.unread = False  # who follows it elsewhere can be known at its end alone
            with self._journalling:
                self._wait()
            time.sleep(next(pauses))

    @property
    def is_settling(self) -> bool:
        return self._settling_since is not None

    def wait_if_slow(self) -> None:
        """Where the database takes its time the settlement goes to disk, and readers hear of it."""
        with self._journalling:  # it is not settled meanwhile
            since = self._settling_since
            if since is not None and time.monotonic() - since > SLOW_SECONDS:
                self._wait()

    def _wait(self) -> None:
        """This process may not outlive the wait for the database."""
        self._journalled = self._journalled or all(journal.keep(each) for each in self._settlements())
        outcome = self.completion.outcome
        counted = metering_service.count(self.completion.sent, outcome)
        self.answer.wait(outcome, counted, is_on_disk=self._journalled)

    def _settled(self, entry: Entry | None) -> Entry | None:
        """The database has it: the journal need not keep it any longer."""
        sent = self.completion.sent
        journal.compare(sent, self.completion.outcome, entry)
        self._count(entry)
        with self._journalling:
            self._settling_since = None
            if self._journalled:
                for attempt_id in self.attempts():
                    journal.remove(attempt_id)
        return entry

    def _count(self, entry: Entry | None) -> None:
        completion = self.completion
        if self.answer.is_awaited:
            counting.ended(completion.provider, completion.outcome)
        counting.booked(completion.sent.call.model, entry)

    def attempts(self) -> set[str]:
        """Those that this run settles itself."""
        own = {sent.attempt_id for sent in (self.completion.sent, *self.completion.unheard)}
        return own | self._lookup.attempts() if self._lookup else own

    def _settlements(self) -> list[Settlement]:
        completion = self.completion
        conversation_id, outcome = self.begun.conversation_id, completion.outcome
        kept = outcome if conversation_id else outcome.wordless()  # what belongs to none is written nowhere
        own = Settlement(sent=completion.sent, outcome=kept, conversation_id=conversation_id)
        searched = self._lookup.settlements() if self._lookup else []
        return [own, *(journal.unasked(sent) for sent in completion.unheard), *searched]


def writing(run_id: str, user_id: str, **fields: str | None) -> Act:
    """What writes the row of a run whose answer belongs to no conversation, with a token's id or an idempotency key."""
    own = (run_id, user_id, "running", WORKER, False, utc_now())
    return Act(_INSERT, [dict.fromkeys(_COLUMNS) | dict(zip(_COLUMNS, own, strict=False)) | fields])


def start(answer: Answer, ticket: Ticket) -> LiveRun:
    """Make the answer on a thread of its own."""
    live = LiveRun(answer, ticket)
    run_id = live.begun.run_id
    _live[run_id] = live
    metrics.ANSWERS_BEGUN.inc(live.counts)
    metrics.ANSWERS_RUNNING.inc(live.counts)
    try:
        live.thread.start()
    except RuntimeError:  # no thread to be had: the reaper ends what is not made here
        del _live[run_id]
        metrics.ANSWERS_RUNNING.dec(live.counts)
        raise
    return live


def read(user: User, run_id: str, *, after: int, locale: str, outlet: Outlet | None = None) -> Iterator[bytes]:
    """The run's events after number `after`; where its log cannot be had, the answer as events as far as it is stored.

    Those of a run of this process may go to `outlet` instead, while the iterator waits. Raises NotFound for somebody
    else's run.
    """
    live = _live.get(run_id) if after < REPLAYED else None
    if live is not None and live.user_id == user.id and isinstance(live.answer, ChatAnswer | TemporaryAnswer):
        return live.answer.events.read(after, outlet)
    return run_following.follow(owned(user, run_id), after, locale)


def owned(user: User, run_id: str) -> Run:
    """Raises NotFound for somebody else's run, and for an answer to a program, as for one that is not there."""
    own = (Run.id == run_id, Run.user_id == user.id, Run.is_of_chat())
    with reading() as session:
        run = session.scalar(select(Run).where(*own))
    if run is None:
        raise NotFound
    return run


def is_begun(user_id: str, idempotency_key: str | None) -> bool:
    """Has the person begun a run under this key?"""
    if not idempotency_key:
        return False
    begun = exists().where(Run.user_id == user_id, Run.idempotency_key == idempotency_key)
    with reading() as session:
        return bool(session.scalar(select(begun)))


def live_run(run_id: str) -> LiveRun | None:
    """The run, where this process is making it."""
    return _live.get(run_id)


def live_runs() -> list[LiveRun]:
    """The runs that this process is making now."""
    return list(_live.values())


def made_here() -> set[str]:
    """The ids of those."""
    return set(_live)


def wait(seconds: float) -> None:
    """Let the answers that somebody waits for end by themselves, for so long at most."""
    deadline = time.monotonic() + seconds
    while any(live.answer.is_awaited for live in live_runs()) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)


def shutdown() -> None:
    """End every run of this process as interrupted, those that begin meanwhile too, and wait for their settlement."""
    deadline = time.monotonic() + SHUTDOWN_SECONDS
    while _live and time.monotonic() < deadline:
        for live in live_runs():
            live.stop.stop("interrupted")
        time.sleep(LOOK_SECONDS)
    broker().flush()
