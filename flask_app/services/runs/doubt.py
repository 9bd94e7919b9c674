"""Runs whose COMMIT got no reply: each may be there, come late, never come, or have been ended by a reaper since."""

import structlog
from sqlalchemy import bindparam, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing, table_of
from flask_app.models import Run
from flask_app.services.completion.attempts import Outcome
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.ledger import journal
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs import run_service

_RENEW = (
    update(table_of(Run))
    .where(table_of(Run).c.id == bindparam("run"), table_of(Run).c.status == "running")
    .values(lease_expires_at=run_service.NEW_LEASE)
)

log = structlog.get_logger()


def renew(connection: Connection, run_id: str) -> bool:
    """Is the run there, and running? It has a fresh lease then. A COMMIT of it that is on its way is waited for."""
    return connection.execute(_RENEW, {"run": run_id}).rowcount == 1


def is_running(run_id: str) -> bool | None:
    """The same in a transaction of its own; None where nobody can say."""
    try:
        return in_writing(lambda connection: renew(connection, run_id))
    except SQLAlchemyError as error:
        log.warning("run_in_doubt", run=run_id, reason=str(error.__cause__ or error))
        return None


def forgo(ticket: Ticket, conversation_id: str | None) -> None:
    """Have the journal end the run, if it is there or still comes, as one that nobody was asked for."""
    unasked = Outcome(status="interrupted", error_code="interrupted", asked=False, earlier=ticket.request.earlier)
    for each in ticket.search.all if ticket.search else ():
        journal.keep(journal.unasked(each.sent))
    journal.keep(Settlement(sent=ticket.sent, outcome=unasked, conversation_id=conversation_id))
