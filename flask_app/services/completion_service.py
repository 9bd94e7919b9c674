"""The one metered door to the models: dispatch, open, stream, settle. No token leaves another way."""

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app import config
from flask_app.database import in_writing
from flask_app.domain.events import Event, Failed, Finished, Reasoning, Served, Token, Usage, estimate_tokens
from flask_app.domain.serving import ServedModel
from flask_app.errors import AppError, Unavailable, UpstreamError
from flask_app.services import key_service, metering_service
from flask_app.services.key_service import UsableKey
from flask_app.services.metering_service import Call, Dispatched, Entry, Outcome
from flask_app.upstream.client import ChatStream, Endpoint, open_chat

MAX_ATTEMPTS = 3
MAX_MODEL, MAX_REASON = 128, 64  # as much as the columns hold of the provider's own words
# A very small model repeats itself and does not find an end.
DEMO_LIMITS = {"max_tokens": 300, "repeat_penalty": 1.2, "temperature": 0.6}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the prompt."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask which model, on whose account."""

    user_id: str
    model: ServedModel
    turns: Sequence[Turn]
    thinking: bool
    channel: str
    request_id: str
    address: str
    run_id: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request whose first attempt is committed: `sent`, with the first of the keys that may be tried."""

    request: Request
    keys: Sequence[UsableKey]
    sent: Dispatched


def keys_for(model: ServedModel) -> list[UsableKey]:
    """The keys to try for `model`, at least one; raises Unavailable. Not for use inside a transaction."""
    if keys := key_service.candidates(model)[:MAX_ATTEMPTS]:
        return keys
    raise Unavailable("no_model")


def dispatch(connection: Connection, request: Request, keys: Sequence[UsableKey]) -> Ticket:
    """Write the first attempt, in the transaction that writes what it answers: both commit, or neither."""
    return Ticket(request, keys, metering_service.dispatch(connection, _call(request), keys[0].id))


class StopSignal:
    """Ends an answer from another thread: the provider's connection closes at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream: ChatStream | None = None
        self.status: str | None = None

    def stop(self, status: str) -> None:
        """End the answer with `status`, "stopped" or "interrupted"; the first caller decides which."""
        with self._lock:
            self.status = self.status or status
            if self._stream:
                self._stream.shutdown()

    def watch(self, stream: ChatStream) -> None:
        with self._lock:
            self._stream = stream
            if self.status:
                stream.shutdown()


class Completion:
    """One answer from start to settlement. `events` streams it, `settle` books it; both once."""

    def __init__(self, ticket: Ticket, stop: StopSignal) -> None:
        self.request = ticket.request
        self.outcome = Outcome()
        self._keys = ticket.keys
        self._stop = stop
        self._sent = ticket.sent  # whatever happens, settling ends this attempt, unless `_refused` has
        self._refusal: UpstreamError | None = None
        self._started = time.monotonic()

    def events(self) -> Iterator[Event]:
        """The answer's events as they come. A failure ends them and is in `outcome`; it is not raised."""
        outcome = self.outcome
        try:
            stream = self._open()
            for batch in stream:
                outcome.bytes_received = stream.bytes_received
                for event in batch:
                    self._take(event)
                    yield event
            self._judge_end()
        except AppError as error:
            self.fail(error.code)
        except SQLAlchemyError as error:
            if self._refusal is None:
                raise
            # The database is away just now: what the provider said still holds, and settling ends the attempt.
            log.warning("refusal_not_saved", run=self.request.run_id, reason=str(error.__cause__ or error))
            self.fail(self._refusal.code)
        finally:
            outcome.duration_ms = self._elapsed_ms()

    def settle(self, persist: Callable[[Connection, Outcome], None]) -> Entry | None:
        """Book the answer, and let `persist` write what belongs to it, in one transaction."""

        def work(connection: Connection) -> Entry | None:
            sent = self._sent
            entry = metering_service.settle(connection, sent, self.outcome)
            if sent.key_id and self.outcome.began:
                key_service.note_used(connection, sent.key_id, sent.at)
            persist(connection, self.outcome)
            return entry

        return in_writing(work)

    def _open(self) -> ChatStream:
        """The first key that answers. Another is tried only while nothing has been shown."""
        failure = UpstreamError()
        for key in self._keys:
            if self._stop.status:
                self.outcome.asked = False
                break
            if key is not self._keys[0]:
                self._sent = in_writing(lambda connection, key=key: self._dispatch(connection, key))  # type: ignore[misc]
            try:
                stream = open_chat(Endpoint(key.base_url, key.secret), _body(self.request))
            except UpstreamError as error:
                failure = error
                self._refused(self._sent, key, error)
                if not error.retryable:
                    break
                continue
            self.outcome.status_code = 200
            self._stop.watch(stream)
            return stream
        raise failure

    def _dispatch(self, connection: Connection, key: UsableKey) -> Dispatched:
        return metering_service.dispatch(connection, _call(self.request), key.id)

    def _refused(self, sent: Dispatched, key: UsableKey, error: UpstreamError) -> None:
        self._refusal, self.outcome.status_code = error, error.upstream_status
        metering_service.release(sent, error_code=error.code, status_code=error.upstream_status)
        if error.retryable:
            key_service.note_error(key.id, error.code)
        log.warning(
            "attempt_failed", code=error.code, status=error.upstream_status, key=key.id, run=self.request.run_id
        )

    def _take(self, event: Event) -> None:
        outcome = self.outcome
        match event:
            case Token(text):
                outcome.text_parts.append(text)
            case Reasoning(text):
                outcome.reasoning_parts.append(text)
            case Usage():
                outcome.usage = event.later_than(outcome.usage)
            case Finished(reason):
                outcome.finish_reason = reason[:MAX_REASON]
            case Served(model):
                outcome.actual_model = model[:MAX_MODEL]
            case Failed(code):
                raise UpstreamError(code)
        if outcome.first_token_ms is None and outcome.began:
            outcome.first_token_ms = self._elapsed_ms()

    def _judge_end(self) -> None:
        """A stream that ended without a word of why was cut, unless somebody stopped it."""
        if self._stop.status:
            self.outcome.status = self._stop.status
        elif self.outcome.finish_reason is None:
            self.fail("upstream_cut")

    def fail(self, code: str) -> None:
        """End with an error, unless somebody stopped the answer: then that is how it ended."""
        outcome = self.outcome
        if self._stop.status:
            outcome.status = self._stop.status
            return
        outcome.status = "interrupted" if outcome.began else "failed"
        outcome.error_code = code

    def _elapsed_ms(self) -> int:
        return int((time.monotonic() - self._started) * 1000)


def _call(request: Request) -> Call:
    return Call(
        user_id=request.user_id,
        channel=request.channel,
        model=request.model.name,
        provider_id=request.model.provider_id,
        currency=request.model.currency,
        request_id=request.request_id,
        address=request.address,
        prompt_estimate=sum(estimate_tokens(turn.content) for turn in request.turns),
        run_id=request.run_id,
        message_id=request.message_id,
    )


def _body(request: Request) -> dict[str, object]:
    body: dict[str, object] = {
        "model": request.model.name,
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.turns],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.model.thinking:
        body["thinking"] = {"type": "enabled" if request.thinking else "disabled"}
        body["user_id"] = _opaque(request.user_id)
    if request.model.demo:
        body |= DEMO_LIMITS
    return body


def _opaque(user_id: str) -> str:
    """A stable name for a person that tells the provider nothing about them."""
    return hmac.new(config.current().secret_key.encode(), user_id.encode(), hashlib.sha256).hexdigest()[:32]
