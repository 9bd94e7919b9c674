"""A racer whose callers ask, and then settle below what they had reserved, release it, or are refunded, while others
top the balance up: `python -m tests.support.moving_race URL MOMENT CALLERS BALANCE PERSON…`.
"""

import sys
import time
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.engine import Connection

from flask_app.database import in_writing, reading
from flask_app.errors import BudgetExhausted
from flask_app.models import TokenUsage
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.completion.attempts import Dispatched
from flask_app.services.ledger import metering_service, refund_service
from tests.support import calls, racing
from tests.support.budget_race import BOUNDS, EACH

ANSWER_SECONDS = 0.05  # between what is reserved and its end
EVERY = 10  # of so many callers one tops up


def settled(sent: Dispatched) -> None:
    calls.settle(sent, BOUNDS.prompt - 40, BOUNDS.answer - 200)


def released(sent: Dispatched) -> None:
    def work(connection: Connection) -> None:
        metering_service.release(connection, sent, error_code="upstream_failed", status_code=500)

    in_writing(work)


def refunded(sent: Dispatched) -> None:
    settled(sent)
    with reading() as session:
        entry = session.scalars(select(TokenUsage.id).where(TokenUsage.attempt_id == sent.attempt_id)).one()
    refund_service.refund(Actor(None), entry, "it was wrong")


WAYS: tuple[Callable[[Dispatched], None], ...] = (settled, released, refunded)


def ask(person: str, way: Callable[[Dispatched], None]) -> str:
    try:
        sent = calls.dispatch(calls.call_of(person), BOUNDS)
    except BudgetExhausted:
        return "refused"
    time.sleep(ANSWER_SECONDS)
    way(sent)
    return way.__name__


def main(url: str, moment: str, callers: str, balance: str, *people: str) -> None:
    racing.join(url)

    def act(number: int) -> str:
        if number % EVERY == 0:
            budget_admin_service.top_up(Actor(None), balance, EACH, "another call")
            return "topped up"
        return ask(people[number % len(people)], WAYS[number % len(WAYS)])

    racing.race(moment, callers, act)


if __name__ == "__main__":
    main(*sys.argv[1:])
