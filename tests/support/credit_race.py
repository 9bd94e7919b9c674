"""A racer whose callers give and give back: each refunds, redeems or tops up what others do in the same moment.

`python -m tests.support.credit_race URL MOMENT CALLERS PERSON BALANCE ENTRY,… CODE,… KEY,…`, where the keys are those
that top-ups are idempotent by.
"""

import sys
from collections.abc import Callable

from flask_app.database import reading
from flask_app.errors import AppError
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, code_service
from flask_app.services.ledger import refund_service
from tests.support import racing

AMOUNT = 500  # tokens of a top-up
ADDRESS = "192.0.2.1"


def act(work: Callable[[], object], done: str) -> str:
    try:
        work()
    except AppError as error:
        return error.code
    return done


def main(url: str, moment: str, callers: str, person: str, balance: str, *lists: str) -> None:
    racing.join(url)
    entries, codes, keys = (each.split(",") for each in lists)
    with reading() as session:
        user = session.get_one(User, person)

    def refund(number: int) -> str:
        entry = entries[number % len(entries)]
        return act(lambda: refund_service.refund(Actor(None), entry, "it was wrong"), "refunded")

    def redeem(number: int) -> str:
        code = codes[number % len(codes)]
        return act(lambda: code_service.redeem(Actor(user, ADDRESS), user, code), "redeemed")

    def top_up(number: int) -> str:
        given = {"idempotency_key": keys[number % len(keys)]}
        return act(lambda: budget_admin_service.top_up(Actor(None), balance, AMOUNT, "paid", **given), "topped up")

    ways = (refund, redeem, top_up)
    racing.race(moment, callers, lambda number: ways[number % len(ways)](number // len(ways)))


if __name__ == "__main__":
    main(*sys.argv[1:])
