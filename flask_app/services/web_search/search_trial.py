"""One search that an administrator makes to see whether it works: by whoever was chosen, and booked like any other.

It asks the first key alone, and nobody waits for an answer: its attempt has no run.
"""

import time
from dataclasses import dataclass

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing
from flask_app.domain import web_sources
from flask_app.domain.events import Usage
from flask_app.domain.web_sources import CHANNEL, Source
from flask_app.errors import AppError, Conflict, Invalid
from flask_app.models import User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service
from flask_app.services.completion import counting
from flask_app.services.completion.attempts import Bounds, Call, Dispatched, Outcome
from flask_app.services.ledger import journal, metering_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.web_search import searchers
from flask_app.services.web_search.search_settings import MODELS, NAME
from flask_app.services.web_search.searchers import Searcher
from flask_app.upstream.web_search import CALLS, OK

SECONDS = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Trial:
    """What was found, and how long it took; or why nothing could be."""

    latency_ms: int
    sources: list[Source]
    error: AppError | None


def search(actor: Actor, person: User, words: str, request_id: str) -> Trial:
    """Search for these words, in the name of a person, whose group may be kept from it.

    Raises Conflict("no_search_engine") where nobody can search now, Invalid("bad_search_query") for no words, and
    BudgetExhausted.
    """
    query, searcher = web_sources.query_of(words), searchers.now()
    if not query:
        raise Invalid("bad_search_query")
    if searcher is None:
        raise Conflict("no_search_engine")
    audit_service.note(actor, "web_search.try", NAME, {"engine": searcher.kind, "provider": searcher.provider})
    call = Call(
        user_id=person.id,
        channel=CHANNEL,
        model=MODELS[searcher.kind],
        provider_id=searcher.provider_id,
        currency=searcher.currency,
        request_id=request_id,
        address=actor.address,
        prompt_estimate=0,
    )
    sent = in_writing(lambda connection: _dispatch(connection, call, searcher), is_there=metering_service.is_dispatched)
    return _search(searcher, sent, query, words)


def _dispatch(connection: Connection, call: Call, searcher: Searcher) -> Dispatched:
    budget_service.take_turn(connection, call.user_id)
    return metering_service.dispatch(connection, call, searcher.doors[0].key_id, Bounds(prompt=0, answer=0))


def _search(searcher: Searcher, sent: Dispatched, query: str, words: str) -> Trial:
    """Its attempt ends, whatever becomes of it: what was answered, and could not be read, may be billed."""
    made = CALLS[searcher.kind](searcher.doors[0].endpoint, query, words, sent.attempt_id)
    outcome, sources, failure = Outcome(asked=False, status="interrupted"), list[Source](), None
    began = time.monotonic()
    try:
        sources = web_sources.kept(made.pages(SECONDS))
        outcome = Outcome(usage=Usage(0, 0, 0, 0))
    except AppError as error:
        log.warning("search_failed", code=error.code, status=made.status)
        served = sent.call.model if made.status == OK else None
        outcome = Outcome(status="failed", error_code=error.code, asked=made.asked, actual_model=served)
        failure = error
    finally:
        outcome.status_code, outcome.bytes_received = made.status, made.bytes_received
        outcome.duration_ms = int((time.monotonic() - began) * 1000)
        counting.attempted(searcher.provider, made.status)
        _settle(sent, outcome)
    return Trial(outcome.duration_ms, sources, failure)


def _settle(sent: Dispatched, outcome: Outcome) -> None:
    """Where the database is away the journal has it until it is back."""
    try:
        entry = in_writing(lambda connection: metering_service.settle(connection, sent, outcome))
    except SQLAlchemyError as error:
        log.warning("search_not_saved", reason=str(error.__cause__ or error))
        journal.keep(Settlement(sent=sent, outcome=outcome, conversation_id=None))
    else:
        counting.booked(sent.call.model, entry)
