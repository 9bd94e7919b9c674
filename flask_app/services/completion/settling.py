"""The end of an answer: booked with what is kept of it, in one transaction."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from flask_app.database import in_company, in_writing
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.completion.completion_service import Completion
from flask_app.statements import Act, Missed


class Persist(Protocol):
    """Writes how an answer ended, and gives what is to be written with its entry.

    Where it `hopes` that nobody else has ended it, that may meet Missed: then it is called again, without.
    """

    def __call__(self, connection: Connection, outcome: Outcome, *, hopes: bool) -> Sequence[Act]: ...


def settle(
    completion: Completion,
    persist: Persist,
    *,
    sum_up: Callable[[Connection], None] = lambda _: None,
    in_a_crowd: bool = False,
) -> Entry | None:
    """Book the answer with what `persist` writes; gives what the ledger has, whoever wrote it.

    It is booked last (see `metering_service.book`), but for `sum_up`, which reads what it is with those before. On a
    server all of it goes in one round trip, in the hope that nobody else has ended the answer. Where somebody has, a
    statement finds no row, or the entry is there: then all is undone, and looked at one by one.
    """
    is_last = completion.outcome.earlier is None

    def work(connection: Connection, *, hopes: bool) -> Entry | None:
        hopes = hopes and completion.is_usual and connection.dialect.name != "sqlite"  # which has no trips to spare
        kept = persist(connection, completion.outcome, hopes=hopes)
        entry = completion.book(connection, before=kept, is_last=is_last, hopes=hopes)
        if not is_last:
            sum_up(connection)
        return entry

    write = in_company if in_a_crowd else in_writing
    try:
        return write(partial(work, hopes=True))
    except (Missed, IntegrityError):  # of a reaper, or of ourselves: the reply to a COMMIT can be lost
        return write(partial(work, hopes=False))
