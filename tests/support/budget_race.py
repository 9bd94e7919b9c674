"""A racer whose callers all ask for an answer: `python -m tests.support.budget_race URL MOMENT CALLERS PERSON…`.

A person may be followed by `/` and the access token that is asked with.
"""

import sys

from flask_app.errors import BudgetExhausted
from flask_app.services.completion.attempts import Bounds
from tests.support import calls, racing

BOUNDS = Bounds(prompt=100, answer=300)
EACH = BOUNDS.prompt + BOUNDS.answer


def ask(who: str) -> str:
    person, _, token_id = who.partition("/")
    try:
        calls.dispatch(calls.call_of(person, token_id=token_id or None), BOUNDS)
    except BudgetExhausted:
        return "refused"
    return "granted"


def main(url: str, moment: str, callers: str, *people: str) -> None:
    racing.join(url)
    racing.race(moment, callers, lambda number: ask(people[number % len(people)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
