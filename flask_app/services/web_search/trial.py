"""A search that an administrator makes to see whether it works: asked and booked as any other, and kept nowhere."""

import time
from dataclasses import dataclass

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing
from flask_app.domain import web_sources
from flask_app.domain.web_sources import Search
from flask_app.errors import Conflict, Invalid
from flask_app.models import User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service
from flask_app.services.completion import counting
from flask_app.services.ledger import journal, metering_service
from flask_app.services.runs import closing
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.web_search import search_attempts, searchers
from flask_app.services.web_search.asking import Asking
from flask_app.services.web_search.search_attempts import SearchTicket, Wanted
from flask_app.services.web_search.search_settings import NAME
from flask_app.services.web_search.searchers import Searcher

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a search, which may be a failure, and how long it took."""

    search: Search
    latency_ms: int


def make(actor: Actor, person: User, words: str, *, request_id: str) -> Trial:
    """Search for these words in the name of a person, whose group may be kept from it. It waits for the engine.

    Raises Conflict("no_search_engine") where nobody can search now, Invalid("bad_search_query") for no words,
    Unavailable, and BudgetExhausted.
    """
    query, by = web_sources.query_of(words), searchers.now()
    if not query:
        raise Invalid("bad_search_query")
    if by is None:
        raise Conflict("no_search_engine")
    audit_service.note(actor, "web_search.try", NAME, {"engine": by.kind, "provider": by.provider})
    wanted = Wanted(user_id=person.id, request_id=request_id, address=actor.address, words=words, query=query)
    asking = Asking(_dispatched(wanted, by))
    began = time.monotonic()
    try:
        asking.ask(StopSignal())
    finally:
        asking.give_up()
        _settle(asking)
    return Trial(asking.search, int((time.monotonic() - began) * 1000))


def _dispatched(wanted: Wanted, by: Searcher) -> SearchTicket:
    def write(connection: Connection) -> SearchTicket:
        closing.check_open()
        budget_service.take_turn(connection, wanted.user_id)
        return search_attempts.dispatch(connection, wanted, by)

    return in_writing(
        write,
        alone=True,
        is_there=lambda connection, made: metering_service.is_dispatched(connection, made.sent),
        doubted=lambda made: journal.keep(journal.unasked(made.sent)),
    )


def _settle(asking: Asking) -> None:
    """Where the database is away the journal has it until it is back."""
    try:
        entry = in_writing(asking.settle)
    except SQLAlchemyError as error:
        log.warning("search_not_saved", reason=str(error.__cause__ or error))
        for settlement in asking.settlements():
            journal.keep(settlement)
    else:
        counting.booked(asking.sent.call.model, entry)
