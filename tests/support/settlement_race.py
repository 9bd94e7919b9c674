"""A racer whose callers end the same attempts, each in its own way, and say in which one they were booked.

`python -m tests.support.settlement_race URL MOMENT CALLERS ATTEMPT…`.
"""

import sys
from collections.abc import Callable

from sqlalchemy.engine import Connection

from flask_app.database import in_transaction, in_writing, reading
from flask_app.domain.events import Usage
from flask_app.models import Attempt
from flask_app.services.completion.attempts import Dispatched, Outcome
from flask_app.services.ledger import metering_service
from flask_app.services.runs import reaper_service
from tests.support import racing

TOLD = Usage(prompt_tokens=50, cached_tokens=20, completion_tokens=30, reasoning_tokens=10)


def report(sent: Dispatched) -> bool:
    """The worker, which has the provider's count."""
    return _settle(sent, Outcome(usage=TOLD, text_parts=["whole"]))


def estimate(sent: Dispatched) -> bool:
    """The worker that never heard one."""
    return _settle(sent, Outcome(status="interrupted", text_parts=["a few words"]))


def release(sent: Dispatched) -> None:
    """The worker whose provider refused."""

    def work(connection: Connection) -> None:
        metering_service.release(connection, sent, error_code="upstream_failed", status_code=500)

    in_writing(work)


def reap(sent: Dispatched) -> None:
    """A reaper that takes the worker for dead."""
    in_transaction(lambda session: reaper_service.book_lost(session, sent.attempt_id))


WAYS: tuple[Callable[[Dispatched], bool | None], ...] = (report, estimate, release, reap)


def main(url: str, moment: str, callers: str, *attempts: str) -> None:
    racing.join(url)
    with reading() as session:
        sent = [reaper_service._dispatched(session, session.get_one(Attempt, attempt)) for attempt in attempts]

    def act(number: int) -> str:
        """The second caller of an attempt comes another way than the first, and another process repeats them."""
        way = WAYS[(number + number // len(sent)) % len(WAYS)]
        return way.__name__ if way(sent[number % len(sent)]) else "nothing"

    racing.race(moment, callers, act)


def _settle(sent: Dispatched, outcome: Outcome) -> bool:
    return in_writing(lambda connection: metering_service.settle(connection, sent, outcome)) is not None


if __name__ == "__main__":
    main(*sys.argv[1:])
