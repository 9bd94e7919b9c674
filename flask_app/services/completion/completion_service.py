"""The one metered door to the models: dispatch, open, stream, settle. No token leaves another way."""

import time
from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app import tracing
from flask_app.database import in_writing
from flask_app.domain.events import Event, Thought
from flask_app.errors import AppError, BudgetExhausted, Unavailable, UpstreamError
from flask_app.models import Run
from flask_app.services.budgets import budget_service
from flask_app.services.chat import prompts
from flask_app.services.completion import cooldown_service, counting, dispatching, failover, openai, picture_room
from flask_app.services.completion.attempts import UNASKED, Dispatched, Entry, Outcome
from flask_app.services.completion.bench_ending import end_bench
from flask_app.services.completion.cooldown_service import Taken
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.completion.endings import Ending
from flask_app.services.completion.hearing import Tell, hearing
from flask_app.services.ledger import metering_service
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.statements import Act
from flask_app.upstream.calls import STREAMS
from flask_app.upstream.client import ChatStream

MAX_ATTEMPTS = 3
_LOST_END = ("upstream_cut", "upstream_timeout")  # how an answer fails whose line broke, or fell silent

_RUN_STATUS = select(Run.status).where(Run.id == bindparam("run"))

log = structlog.get_logger()


class Completion:
    """One answer from start to settlement. `ask` streams it, `settling.settle` books it; both once."""

    def __init__(self, ticket: Ticket, stop: StopSignal) -> None:
        self.request = ticket.request
        self.outcome = Outcome(earlier=self.request.earlier)
        self._stop = stop
        self._others = failover.Others(ticket.candidates, ticket.taken.candidate)
        self.taken = ticket.taken
        self.sent = ticket.sent  # whatever happens, settling ends this attempt, unless `_refused` has
        self.unheard: list[Dispatched] = []  # attempts whose COMMIT got no reply: no provider was asked
        self._broken: UpstreamError | None = None  # what ended it
        self.retry_after: int | None = None  # seconds, where all who failed it said when to come back
        self._ending = Ending.of(self.request.options)
        self.attempts = 1
        self._may_prefix = True  # until a provider turns out not to know how to go on with a text
        self._started = time.monotonic()
        self._asker, self._span = tracing.current_request(), tracing.NOTHING

    def ask(self, tell: Tell) -> None:
        """Give `tell` the answer's events, those that came together in one list; it must not wait, for it may be called
        on the event loop.

        A failure ends them and is in `outcome`; it is not raised.
        """
        try:
            while (refused := self._attempt(tell)) is not None:
                self._go_elsewhere(refused)
        except AppError as error:
            if isinstance(error, UpstreamError) and not self._stop.status:  # else it is we who closed the stream
                self._broken = error
            self.retry_after = self._others.soonest(error, self.taken.candidate)
            self.fail(error.code)
        finally:
            self.outcome.duration_ms = self._elapsed_ms()
            if thought := self.outcome.time_thoughts(None, self.outcome.duration_ms):
                tell([thought])

    @property
    def is_usual(self) -> bool:
        """Is nothing to be written with its end but what always is?"""
        return not (self.unheard or self._broken or self.taken.claimed or self.taken.has_record)

    @property
    def provider(self) -> str:
        """The name of who is asked."""
        return self.taken.candidate.model.provider

    @property
    def first_token_at(self) -> float | None:
        """When the first of the answer came, on the monotonic clock."""
        return None if (first := self.outcome.first_token_ms) is None else self._started + first / 1000

    def _attempt(self, tell: Tell) -> UpstreamError | None:
        """Tell the events of one attempt; gives the failure of one that was refused before anything was said."""
        outcome = self.outcome
        span = self._span = counting.begin_attempt(self._asker, self.provider, self.sent, self.request.operation)
        try:
            stream = self._open()
            self._deliver(stream, hearing(outcome, self._take, tell))
            self._judge_end()
        except UpstreamError as error:
            goes_elsewhere = not outcome.heard or (outcome.is_wordless and self._next(error))
            outcome.status_code = error.upstream_status or outcome.status_code
            if not self._stop.status:
                span.tell({"http.response.status_code": error.upstream_status})
                span.fail(error.code)
            if self._stop.status or not goes_elsewhere:
                raise
            return failover.without_frames(error)
        finally:
            span.tell({"http.response.status_code": outcome.status_code})
            span.end()
        return None

    def _deliver(self, stream: ChatStream, take: Tell) -> None:
        """An answer that has come to its end is whole: what the line does then, it does to nobody."""
        try:
            stream.deliver(take)
        except UpstreamError as error:
            if self._stop.status or error.code not in _LOST_END or not self._ending.is_whole:
                raise
            log.info("end_lost", code=error.code, key=self.taken.key.id, run=self.request.run_id)
        finally:
            self.outcome.bytes_received = stream.bytes_received

    def book(
        self, connection: Connection, *, before: Sequence[Act] = (), is_last: bool = False, hopes: bool = False
    ) -> Entry | None:
        """Book the answer in the caller's transaction, behind what comes `before` it; what did not commit can be booked
        again. Gives what the ledger has, whoever wrote it. `hopes` as in `metering_service.settle`.
        """
        sent = self.sent
        for unheard in self.unheard:
            metering_service.settle(connection, unheard, UNASKED)
        if self.outcome.began:
            before = [*before, *cooldown_service.note_used(connection, self.taken, sent.at, self._broken)]
        else:
            cooldown_service.free(connection, self.taken)
        entry = metering_service.settle(connection, sent, self.outcome, before=before, is_last=is_last, hopes=hopes)
        if entry is None and self.outcome.taken_up:
            entry = metering_service.booked(connection, sent.attempt_id)
        return entry

    def _open(self) -> ChatStream:
        self.outcome.asked = False  # nor is anybody while pictures are read, whatever becomes of that
        if self._stop.status:
            raise UpstreamError
        with picture_room.taken(prompts.picture_bytes(self.request), lambda: self._stop.status is not None):
            stream = self._stream()
            self._stop.watch(stream)
            self.outcome.asked = True
            self._open_stream(stream)
        self.outcome.status_code = 200
        counting.attempted(self.provider, 200)
        if self.taken.claimed:
            end_bench(self.taken, self.sent)
        return stream

    def _stream(self) -> ChatStream:
        """With the whole body: nothing else holds that."""
        prefix, most = self._is_prefix, self.sent.hold.answer_tokens
        body = prompts.body(self.request, self.taken.candidate.model, prefix=prefix, max_tokens=most)
        make = STREAMS[self.request.operation]
        at_beta = prefix or (self.request.operation == "text_completion" and self.taken.key.completes_prefixes)
        endpoint = self.taken.key.endpoint()
        return make(endpoint, openai.worded(body, endpoint.base_url), self.sent.attempt_id, prefix=at_beta)

    def _open_stream(self, stream: ChatStream) -> None:
        try:
            stream.open()
        except UpstreamError as error:
            self.outcome.asked = stream.asked
            counting.attempted(self.provider, error.upstream_status)
            raise

    def _go_elsewhere(self, refusal: UpstreamError) -> None:
        """End the refused attempt and begin another, or raise what the provider said."""
        try:
            self._refused(refusal)
            self._try_another(refusal)
        except SQLAlchemyError as error:
            # The database is away just now: what the provider said still holds, and settling ends the attempt.
            log.warning("refusal_not_saved", run=self.request.run_id, reason=str(error.__cause__ or error))
            raise refusal from error

    def _refused(self, error: UpstreamError) -> None:
        """The attempt ends and costs nothing; what the key is benched for is noted with it.

        One that was taken up only ends when another begins: else its prompt is booked.
        """
        sent, taken = self.sent, self.taken
        status = self.outcome.status_code = error.upstream_status or self.outcome.status_code
        ends = not self.outcome.heard

        def work(connection: Connection) -> None:
            if ends:
                self._release(connection, error)
            cooldown_service.note_failure(connection, taken, error, sent.at, spares=self.request.spares_keys)

        in_writing(work, is_there=lambda connection, _: not ends or metering_service.is_released(connection, sent))
        log.warning("attempt_failed", code=error.code, status=status, key=taken.key.id, run=self.request.run_id)

    def _release(self, connection: Connection, error: UpstreamError) -> None:
        metering_service.release(connection, self.sent, error_code=error.code, status_code=self.outcome.status_code)

    @property
    def _is_prefix(self) -> bool:
        """Is the provider that was taken given the text to go on with, not words that ask for it?"""
        return self._may_prefix and bool(self.request.begun) and self.taken.key.completes_prefixes

    def _next(self, failure: UpstreamError) -> list[failover.Turn]:
        """Who may be asked after `failure`."""
        if self.request.in_passing or self.attempts >= MAX_ATTEMPTS:
            return []
        last = self.taken.candidate
        if self._is_prefix and failover.lacks_prefixes(failure):
            return [failover.Turn([last], last)]
        return self._others.after(failure, last, heard=self.outcome.heard)

    def _try_another(self, failure: UpstreamError) -> None:
        """Dispatch another attempt after `failure`, or raise what it comes to: only while nothing has been shown."""
        turns = self._next(failure)
        self._may_prefix = self._may_prefix and not failover.lacks_prefixes(failure)
        for turn in turns:
            time.sleep(turn.pause(self.attempts + 1))
            if self._stop.status:
                break
            try:
                self.taken, self.sent = in_writing(
                    partial(self._take_another, turn, failure),
                    is_there=lambda connection, taken: metering_service.is_dispatched(connection, taken[1]),
                )
            except (Unavailable, BudgetExhausted) as error:
                log.info("no_other_attempt", code=error.code, run=self.request.run_id)
                continue
            self.unheard.clear()
            self._others.taken(self.taken.candidate)
            self.attempts += 1
            self.outcome, self._started = Outcome(earlier=self.request.earlier), time.monotonic()
            self._ending = Ending.of(self.request.options)
            return
        raise self._others.told(failure)

    def _take_another(
        self, turn: failover.Turn, failure: UpstreamError, connection: Connection
    ) -> tuple[Taken, Dispatched]:
        run_id = self.request.run_id
        if run_id and connection.scalar(_RUN_STATUS, {"run": run_id}) != "running":
            raise Unavailable  # this worker was taken for dead meanwhile, and the run is over
        budget_service.take_turn(connection, self.request.user_id)
        self._release(connection, failure)  # unless it has ended: what it holds is free for the next
        taken = cooldown_service.take(connection, turn.candidates, early=turn.early)
        sent = dispatching.attempt(connection, self.request, taken)
        self.unheard.append(sent)
        return taken, sent

    def _take(self, event: Event) -> Thought | None:
        """Gives that the model has thought enough, where this is the first of what it says then."""
        outcome = self.outcome
        thought = None if outcome.text_parts else outcome.time_thoughts(event, self._elapsed_ms())
        outcome.hear(event)
        self._ending.hear(event)
        if outcome.first_token_ms is None and outcome.began:
            outcome.first_token_ms = self._elapsed_ms()
            self._span.mark("first_token")
        return thought

    def _judge_end(self) -> None:
        """A stream that ended without a word of why was cut, unless somebody stopped it.

        So was one whose provider had no more room for it, and one of several answers of which that is true.
        """
        if self._stop.status:
            self.outcome.status = self._stop.status
        elif code := self._ending.broken:
            self.outcome.finish_reason = None
            raise UpstreamError(code, retryable=True)

    def fail(self, code: str) -> None:
        """End with an error, unless somebody stopped the answer: then that is how it ended."""
        outcome = self.outcome
        if self._stop.status:
            outcome.status = self._stop.status
            return
        outcome.status = "interrupted" if outcome.began else "failed"
        outcome.error_code = prompts.kept_code_of_length(self.request) if code == "conversation_too_long" else code

    def _elapsed_ms(self) -> int:
        return int((time.monotonic() - self._started) * 1000)
