"""A search that an administrator makes to see whether it works: asked and booked as any other, and kept nowhere."""

from sqlalchemy.engine import Connection

from flask_app.database import in_writing
from flask_app.domain import web_sources
from flask_app.domain.web_sources import Search
from flask_app.errors import Invalid
from flask_app.models import User
from flask_app.services.budgets import budget_service
from flask_app.services.ledger import metering_service
from flask_app.services.runs import closing
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.web_search import search_attempts, searchers
from flask_app.services.web_search.asking import Asking
from flask_app.services.web_search.search_attempts import SearchTicket, Wanted


def make(actor: User, words: str, *, request_id: str, address: str) -> Search:
    """What came of it, which may be a failure. It waits for as long as a search takes.

    Raises Forbidden("search_off"), Invalid("empty_message"), Unavailable, BudgetExhausted.
    """
    by, query = searchers.find(actor), web_sources.query_of(words)
    if not query:
        raise Invalid("empty_message")
    wanted = Wanted(user_id=actor.id, request_id=request_id, address=address, words=words, query=query)

    def write(connection: Connection) -> SearchTicket:
        closing.check_open()
        budget_service.take_turn(connection, actor.id)
        return search_attempts.dispatch(connection, wanted, by)

    ticket = in_writing(
        write, alone=True, is_there=lambda connection, made: metering_service.is_dispatched(connection, made.sent)
    )
    asking = Asking(ticket)
    try:
        asking.ask(StopSignal())
    finally:
        asking.give_up()
        in_writing(asking.settle)
    return asking.search
