"""Beginning a run of the chat: written in one transaction, once for each idempotency key, and then started."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from flask_app.database import in_writing
from flask_app.errors import Conflict, TooMany, Unavailable
from flask_app.services.chat.chat_answer import ChatAnswer
from flask_app.services.chat.prompts import Request
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.conversations import title_service
from flask_app.services.conversations.temporary_answer import TemporaryAnswer
from flask_app.services.runs import closing, doubt, run_service
from flask_app.services.runs.run_answers import Answer
from flask_app.services.runs.run_events import Begun, Told

ASK_SECONDS = 1

log = structlog.get_logger()

_in_doubt: dict[str, tuple[Told, Ticket]] = {}
_Begun = TypeVar("_Begun", bound=Told)
_deciding = threading.Lock()


def begin(
    write: Callable[[Connection], tuple[_Begun, Ticket]],
    *,
    earlier: Callable[[], _Begun | None],
    check: Callable[[], object],
) -> _Begun:
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
    except (IntegrityError, TooMany, Conflict, Unavailable):
        if found := earlier():
            return found
        check()
        raise
    _start(begun, ticket)
    return begun


def forgo_doubts() -> None:
    """What nobody knows yet to be there is not begun any more: this process is closed."""
    with _deciding:
        for begun, ticket in list(_in_doubt.values()):
            doubt.forgo(ticket, begun.conversation_id)


def _start_once_known(written: tuple[Told, Ticket]) -> None:
    """Whoever asked is told that it failed, and finds the run when they ask again with the same key."""
    begun, ticket = written
    run_id = begun.run_id
    with _deciding:
        if closing.is_closed():
            doubt.forgo(ticket, begun.conversation_id)
            return
        _in_doubt[run_id] = written
    threading.Thread(target=_ask_and_start, args=[run_id], name=f"doubt-{run_id}", daemon=True).start()


def _ask_and_start(run_id: str) -> None:
    is_running = None
    while is_running is None and not closing.is_closed():
        time.sleep(ASK_SECONDS)
        is_running = doubt.is_running(run_id)
    log.warning("doubt_ended", run=run_id, is_running=is_running)
    with _deciding:
        if closing.is_closed() and is_running is not False:
            return  # it could not be finished: `forgo_doubts`
        begun, ticket = _in_doubt.pop(run_id)
        if is_running:
            _start(begun, ticket)


def _start(begun: Told, ticket: Ticket) -> None:
    run_service.start(_answer(begun, ticket.request), ticket)


def _answer(begun: Told, request: Request) -> Answer:
    """A conversation's may be followed by its title."""
    if isinstance(begun, Begun):
        return ChatAnswer(begun, request, partial(title_service.consider, begun, request))
    return TemporaryAnswer(begun, request.model.name)
