"""A question's search as the ledger knows it: an attempt of its own, before the answer's, of no tokens.

It costs what a request costs (`tariffs.request_price`), where it was answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain.web_sources import CHANNEL
from flask_app.errors import Unavailable, UpstreamError
from flask_app.models import Attempt, Run
from flask_app.services.budgets import budget_service
from flask_app.services.completion import deepseek
from flask_app.services.completion.attempts import UNASKED, Bounds, Call, Dispatched, Entry, Outcome
from flask_app.services.ledger import metering_service
from flask_app.services.web_search import searches
from flask_app.services.web_search.search_settings import MODELS
from flask_app.services.web_search.searchers import Door, Searcher

_attempts = table_of(Attempt)
_RUN_STATUS = select(Run.status).where(Run.id == bindparam("run"))
_CORRECT = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt"), _attempts.c.state == "dispatched")
    .values(prompt_estimate=bindparam("tokens"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose question is searched for, if it is one, in which run: `words` are its own, `query` is searched for.

    With a `link` that is opened, and nothing searched for.
    """

    user_id: str
    request_id: str
    address: str
    words: str
    query: str
    link: str = ""
    run_id: str | None = None
    question_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTicket:
    """A search whose first attempt is committed: `sent`, by the searcher's first door."""

    call: Wanted
    searcher: Searcher
    sent: Dispatched


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupTicket:
    """What is looked up for a question, and stored as one: its `links` are opened, and it is searched for.

    Either may be missing, not both.
    """

    search_id: str
    links: tuple[SearchTicket, ...]
    search: SearchTicket | None

    @property
    def all(self) -> tuple[SearchTicket, ...]:
        return (*self.links, self.search) if self.search else self.links


def begin(connection: Connection, call: Wanted, searcher: Searcher, links: Sequence[str] = ()) -> LookupTicket:
    """Write the question's search and the first attempts of it, in the transaction that writes the answer's.

    Raises as `dispatch` does.
    """
    return LookupTicket(
        search_id=searches.begin(connection, call.question_id or "", query=call.query, engine=searcher.kind),
        links=tuple(dispatch(connection, replace(call, query="", link=link), searcher) for link in links),
        search=dispatch(connection, call, searcher) if call.query else None,
    )


def dispatch(connection: Connection, call: Wanted, searcher: Searcher) -> SearchTicket:
    """Write the first attempt. Raises BudgetExhausted; the person's row must be locked (`budget_service.take_turn`)."""
    return SearchTicket(call=call, searcher=searcher, sent=_dispatch(connection, call, searcher, searcher.doors[0]))


def another(
    connection: Connection, ticket: SearchTicket, door: Door, failed: Dispatched, failure: UpstreamError
) -> Dispatched:
    """End the attempt that failed, and write one by another door. Raises Unavailable where the run is over."""
    take_turn(connection, ticket.call)
    metering_service.release(connection, failed, error_code=failure.code, status_code=failure.upstream_status)
    return _dispatch(connection, ticket.call, ticket.searcher, door)


def take_turn(connection: Connection, call: Wanted) -> None:
    """Lock the person's row. Raises Unavailable where the run is over."""
    if call.run_id and connection.scalar(_RUN_STATUS, {"run": call.run_id}) != "running":
        raise Unavailable
    budget_service.take_turn(connection, call.user_id)


def settle(
    connection: Connection, sent: Dispatched, outcome: Outcome, unheard: Sequence[Dispatched] = ()
) -> Entry | None:
    """Book the search. `unheard` are attempts whose COMMIT got no reply: nobody was asked for them."""
    for each in unheard:
        metering_service.settle(connection, each, UNASKED)
    return metering_service.settle(connection, sent, outcome)


def correct(connection: Connection, answer: Dispatched) -> bool:
    """Write what the answer's prompt is with what was found; False where its attempt has ended meanwhile."""
    corrected = {"attempt": answer.attempt_id, "tokens": answer.call.prompt_estimate}
    return connection.execute(_CORRECT, corrected).rowcount == 1


def _dispatch(connection: Connection, call: Wanted, searcher: Searcher, door: Door) -> Dispatched:
    asked = Call(
        user_id=call.user_id,
        channel=CHANNEL,
        model=deepseek.FETCH if call.link else MODELS[searcher.kind],
        provider_id=searcher.provider_id,
        currency=searcher.currency,
        request_id=call.request_id,
        address=call.address,
        prompt_estimate=0,
        run_id=call.run_id,
        message_id=call.question_id,
    )
    return metering_service.dispatch(connection, asked, door.key_id, Bounds(prompt=0, answer=0))
