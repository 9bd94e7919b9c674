"""A process of its own whose callers all ask at once: `python -m tests.support.budget_race URL MOMENT CALLERS PERSON…`.

A person may be followed by `/` and the access token that is asked with. Writes how many were let through, how many were
refused, and what else happened, as JSON.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

from flask_app import config, database, engines
from flask_app.config import Config
from flask_app.errors import BudgetExhausted
from flask_app.services.completion.attempts import Bounds
from tests.support import calls
from tests.support.together import at_once

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
    config.install(Config(instance_dir=Path(), secret_key="", encryption_key="", database_url=url))
    engines.LOCK_SECONDS = 100  # however slow the other process is
    database.connect(url)
    time.sleep(max(float(moment) - time.time(), 0))
    outcomes = at_once(int(callers), lambda number: ask(people[number % len(people)]))
    sys.stdout.write(json.dumps(Counter(map(str, outcomes))))


if __name__ == "__main__":
    main(*sys.argv[1:])
