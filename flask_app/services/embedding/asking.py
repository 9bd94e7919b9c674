"""Asking for vectors: each request is an attempt of its own, on the account of whoever asks the question.

It goes by the one door that answers take. There is no run yet: nothing of the question is written. An attempt that a
dead worker left is booked as an estimate once it is older than a lease (`reaper_service.book_lost`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app import offload
from flask_app.database import in_writing
from flask_app.domain import vectors
from flask_app.domain.events import Event, Vectors
from flask_app.domain.serving import ServedModel
from flask_app.errors import UpstreamError
from flask_app.services.budgets import budget_service
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import counting, dispatching
from flask_app.services.completion.attempts import Outcome
from flask_app.services.completion.completion_service import Completion
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.completion.settling import settle
from flask_app.services.ledger import journal, metering_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.providers.key_service import Candidate
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.statements import Act

CHANNEL = "document"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Whose question it is, and where it came from."""

    user_id: str
    request_id: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who makes vectors: the model, and the keys of its provider."""

    model: ServedModel
    keys: Sequence[Candidate]


def vectors_of(inputs: Sequence[str], maker: Maker, asker: Asker, stop: StopSignal) -> list[bytes]:
    """A vector for each, in one request. Not for inside a transaction.

    Raises BudgetExhausted and Unavailable before anybody is asked, UpstreamError for what its provider did, and where
    it was stopped.
    """
    request = Request(
        user_id=asker.user_id,
        model=maker.model,
        turns=[Turn("input", each) for each in inputs],
        thinking=None,
        channel=CHANNEL,
        request_id=asker.request_id,
        address=asker.address,
        options={"input": list(inputs)},
        operation="embeddings",
        in_passing=True,
        spares_keys=True,
    )
    completion = Completion(_dispatched(request, maker.keys), stop)
    heard: list[Vectors] = []

    def tell(events: list[Event]) -> None:
        heard.extend(event for event in events if isinstance(event, Vectors))

    try:
        completion.ask(tell)
    except Exception:  # a fault of ours: what was asked for is booked
        log.exception("vectors_failed", request=asker.request_id)
        completion.fail("internal")
    _settle(completion)
    outcome = completion.outcome
    if outcome.status != "complete" or not heard:
        raise UpstreamError(outcome.error_code or "interrupted", status=outcome.status_code)
    try:
        return offload.run(_packed, heard[0])
    except ValueError as error:
        raise UpstreamError("upstream_garbage") from error


def _packed(heard: Vectors) -> list[bytes]:
    return [vectors.packed(bytes(each)) for each in heard.items]


def _dispatched(request: Request, keys: Sequence[Candidate]) -> Ticket:
    def write(connection: Connection) -> Ticket:
        budget_service.take_turn(connection, request.user_id)
        return dispatching.dispatch(connection, request, keys)

    return in_writing(
        write,
        alone=True,
        is_there=lambda connection, made: metering_service.is_dispatched(connection, made.sent),
        doubted=lambda made: journal.keep(journal.unasked(made.sent)),
    )


def _keep_nothing(connection: Connection, outcome: Outcome, *, hopes: bool) -> Sequence[Act]:  # noqa: ARG001
    return ()


def _settle(completion: Completion) -> None:
    """Where the database is away the journal has it until it is back."""
    sent, outcome = completion.sent, completion.outcome
    try:
        entry = settle(completion, _keep_nothing)
    except SQLAlchemyError as error:
        log.warning("vectors_not_booked", reason=str(error.__cause__ or error))
        journal.keep(Settlement(sent=sent, outcome=outcome.wordless(), conversation_id=None))
        for unheard in completion.unheard:
            journal.keep(journal.unasked(unheard))
    else:
        journal.compare(sent, outcome, entry)
        counting.booked(sent.call.model, entry)
