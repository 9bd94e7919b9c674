"""Settling what the journal holds: answers whose worker died before the database was there to take them."""

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app import offload
from flask_app.database import in_writing
from flask_app.domain.web_sources import CHANNEL as SEARCH
from flask_app.domain.web_sources import FAILED
from flask_app.services.completion import counting
from flask_app.services.completion.attempts import Entry
from flask_app.services.ledger import journal, metering_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs import answer_service, run_service
from flask_app.services.tools import tool_audit
from flask_app.services.web_search import searches

log = structlog.get_logger()


def replay() -> None:
    """Settle every file of this machine's journal that no run of this process will; one that fails stays.

    Other processes may do the same at the same time: the attempt's state lets one of them book it.
    """
    journal.sweep()
    for attempt_id in sorted(journal.waiting() - _made_here()):
        try:
            if settlement := journal.read(attempt_id):
                _settle(settlement)
        except SQLAlchemyError as error:
            log.warning("not_replayed", attempt=attempt_id, reason=str(error.__cause__ or error))
        except Exception:  # one that cannot be settled does not keep the others waiting
            log.exception("not_replayed", attempt=attempt_id)
        offload.give_way()


def _settle(settlement: Settlement) -> None:
    sent, outcome = settlement.sent, settlement.outcome

    def work(connection: Connection) -> Entry | None:
        entry = metering_service.settle(connection, sent, outcome)
        if sent.call.channel == SEARCH:  # what it found has gone with its process
            searches.end_of_question(connection, sent.call.message_id or "", status=FAILED, error_code="interrupted")
        if sent.call.run_id and settlement.conversation_id is None:
            answer_service.forget(connection, sent.call.run_id, outcome)
        elif sent.call.run_id and sent.call.message_id and settlement.conversation_id:
            ids = {"run_id": sent.call.run_id, "message_id": sent.call.message_id}
            answer_service.end(connection, outcome, **ids, conversation_id=settlement.conversation_id)
            answer_service.restore(connection, outcome, **ids)
            tool_audit.end_of_run(connection, sent.call.run_id, is_stopped=outcome.status == "stopped")
        return entry or metering_service.booked(connection, sent.attempt_id)

    entry = in_writing(work)
    if entry is None or sent.call.channel != SEARCH:  # of a search an estimate is as exact: it has no tokens
        journal.compare(sent, outcome, entry)
    counting.booked(sent.call.model, entry)
    journal.remove(settlement.attempt_id)
    log.info("replayed", attempt=settlement.attempt_id, run=sent.call.run_id)


def _made_here() -> set[str]:
    return {attempt_id for live in run_service.live_runs() for attempt_id in live.attempts()}
