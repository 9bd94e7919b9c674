"""What becomes of a run: who hears of it while it is made, and what is kept of it in the end."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.engine import Connection

from flask_app.domain.events import Event
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.statements import Act


class Begun(Protocol):
    """Which run it is, and where its answer is written; an answer to a program is written nowhere."""

    @property
    def run_id(self) -> str: ...

    @property
    def conversation_id(self) -> str | None: ...

    @property
    def message_id(self) -> str | None: ...


class Answer(Protocol):
    """Takes a run's events, in order, and its end, once."""

    @property
    def begun(self) -> Begun: ...

    @property
    def is_awaited(self) -> bool:
        """Does somebody wait for it? Else it is counted as no answer, and the end of a process does not wait for it."""

    @property
    def unread_since(self) -> float | None:
        """The moment, on the monotonic clock, since when nobody has followed it; None while somebody does."""

    def tell_all(self, events: list[Event]) -> None:
        """Pass on events that came together. It must not wait: it may be called on the event loop."""

    def keep(self, connection: Connection, outcome: Outcome, *, hopes: bool) -> Sequence[Act]:
        """Write down how the run ended, in the transaction that books it; gives what is to be written with the entry.

        Where it `hopes` that nobody else has ended the run, that may meet Missed: then it is called again, without.
        """

    def sum_up(self, connection: Connection) -> None:
        """Read what it took with what came earlier, in the same transaction, once it is booked."""

    def wait(self, outcome: Outcome, counted: Entry, *, is_on_disk: bool) -> None:
        """The answer has come, and cannot be booked just now, once more: this is what will be.

        `is_on_disk`: it will be, even if this process ends before.
        """

    def end(self, outcome: Outcome, entry: Entry | None, *, discarded: bool) -> None:
        """It is booked as `entry`, if at all, and `keep` is committed. `discarded`: it was deleted meanwhile."""
