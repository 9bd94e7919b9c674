"""Beginning a run of the chat: written in one transaction, once for each idempotency key, and then started."""

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from flask_app.database import in_writing
from flask_app.errors import Conflict, TooMany
from flask_app.services import closing, doubt, run_service
from flask_app.services.chat_answer import ChatAnswer
from flask_app.services.completion_service import Ticket
from flask_app.services.run_events import Begun

ASK_SECONDS = 1

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
            is_there=lambda connection, written: doubt.renew(connection, written[0].run_id),
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
    """A process that is closed meanwhile could not finish the answer."""
    is_running = None
    while is_running is None and not closing.is_closed():
        time.sleep(ASK_SECONDS)
        is_running = doubt.is_running(begun.run_id)
    log.warning("doubt_ended", run=begun.run_id, is_running=is_running)
    if is_running is False:
        return
    if closing.is_closed():
        doubt.forgo(ticket, begun.conversation_id)
    else:
        run_service.start(ChatAnswer(begun, ticket.request), ticket)
