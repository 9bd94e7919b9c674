"""A racer whose callers ask and are answered, while others set another price: of each token and request as many
micro-units as nobody else sets. `python -m tests.support.price_race URL MOMENT CALLERS FIRST PERSON…`.
"""

import sys

from flask_app.domain.tariff import Prices
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion.attempts import Bounds
from flask_app.services.tariffs import tariff_admin_service
from flask_app.services.tariffs.tariff_admin_service import Terms
from tests.support import calls, racing

BOUNDS = Bounds(prompt=100, answer=300)
EVERY = 10  # of so many callers one edits
A_MILLION = 1_000_000


def price(micros: int) -> Terms:
    """So many micro-units a token, whatever it is, and a request."""
    token = micros * A_MILLION
    return Terms(prices=Prices(token, token, token, micros))


def main(url: str, moment: str, callers: str, first: str, *people: str) -> None:
    racing.join(url)

    def act(number: int) -> str:
        if number % EVERY == 0:
            tariff_admin_service.add(Actor(None), "deepseek-flash", "CNY", price(int(first) + number))
            return "edited"
        calls.settle(calls.dispatch(calls.call_of(people[number % len(people)]), BOUNDS), 60, 40)
        return "booked"

    racing.race(moment, callers, act)


if __name__ == "__main__":
    main(*sys.argv[1:])
