"""Beginning a run of the chat: written in one transaction, once for each idempotency key, and then started."""

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import bindparam, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from flask_app.database import in_writing, table_of
from flask_app.errors import Conflict, TooMany
from flask_app.models import Run
from flask_app.services import metering_service, run_service
from flask_app.services.chat_answer import ChatAnswer
from flask_app.services.completion_service import Ticket
from flask_app.services.run_events import Begun

ASK_SECONDS = 1

# It waits for a COMMIT that is on its way, and finds no run that was not written, or that a reaper has ended.
_RENEW = (
    update(table_of(Run))
    .where(table_of(Run).c.id == bindparam("run"), table_of(Run).c.status == "running")
    .values(lease_expires_at=run_service.NEW_LEASE)
)

log = structlog.get_logger()


def begin(
    write: Callable[[Connection], tuple[Begun, Ticket]],
    *,
    earlier: Callable[[], Begun | None],
    check: Callable[[], object],
) -> Begun:
    """Start the run that `write` writes. Raises what that does.

    The same key may arrive twice at once, and what stands in the way is then its own first run: `earlier` gives that.
    `check` raises NotFound for what was deleted in this moment.
    """
    try:
        begun, ticket = in_writing(
            write,
            alone=True,
            is_there=lambda connection, written: metering_service.is_written(connection, written[1].sent),
            doubted=_start_once_known,
        )
    except (IntegrityError, TooMany, Conflict):
        if found := earlier():
            return found
        check()
        raise
    run_service.start(ChatAnswer(begun, ticket.request), ticket)
    return begun


def _start_once_known(written: tuple[Begun, Ticket]) -> None:
    """Whoever asked is told that it failed, and finds the run when they ask again with the same key."""
    threading.Thread(target=_ask_and_start, args=written, name=f"doubt-{written[0].run_id}", daemon=True).start()


def _ask_and_start(begun: Begun, ticket: Ticket) -> None:
    is_running = None
    while is_running is None:
        time.sleep(ASK_SECONDS)
        is_running = _is_running(begun.run_id)
    log.warning("doubt_ended", run=begun.run_id, is_running=is_running)
    if is_running:
        run_service.start(ChatAnswer(begun, ticket.request), ticket)


def _is_running(run_id: str) -> bool | None:
    """With a fresh lease then; None where nobody can say."""
    try:
        return in_writing(lambda connection: connection.execute(_RENEW, {"run": run_id}).rowcount == 1)
    except SQLAlchemyError as error:
        log.warning("run_in_doubt", run=run_id, reason=str(error.__cause__ or error))
        return None
