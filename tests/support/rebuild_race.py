"""A racer whose callers ask and are answered, while others mend the roll-up and the counters.

`python -m tests.support.rebuild_race URL MOMENT CALLERS PERSON…`.
"""

import sys

from sqlalchemy.exc import OperationalError

from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import usage_check_service
from tests.support import calls, racing
from tests.support.budget_race import BOUNDS

GIVEN_WAY = (1020, 1205, 1213)  # to others, of MariaDB: changed since it was read, a lock that did not come, a deadlock
EVERY = 50  # of so many callers one mends


def mend() -> None:
    """Among so many who settle a transaction gives way more often than it is tried: whoever is told so begins anew."""
    while True:
        try:
            usage_check_service.rebuild(Actor(None))
        except OperationalError as error:
            if not error.orig or error.orig.args[0] not in GIVEN_WAY:
                raise
        else:
            return


def main(url: str, moment: str, callers: str, *people: str) -> None:
    racing.join(url)

    def act(number: int) -> str:
        if number % EVERY == 0:
            mend()
            return "mended"
        calls.settle(calls.dispatch(calls.call_of(people[number % len(people)]), BOUNDS), 60, 40)
        return "booked"

    racing.race(moment, callers, act)


if __name__ == "__main__":
    main(*sys.argv[1:])
