"""Beginning a run of the chat: written in one transaction, once for each idempotency key, and then started."""

from collections.abc import Callable

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from flask_app.database import in_writing
from flask_app.errors import Conflict, TooMany
from flask_app.services import metering_service, run_service
from flask_app.services.chat_answer import ChatAnswer
from flask_app.services.completion_service import Ticket
from flask_app.services.run_events import Begun


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
        )
    except (IntegrityError, TooMany, Conflict):
        if found := earlier():
            return found
        check()
        raise
    run_service.start(ChatAnswer(begun, ticket.request), ticket)
    return begun
