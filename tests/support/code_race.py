"""Callers who all use one code at once: `python -m tests.support.code_race URL KEY MOMENT CALLERS PERSON CODE`.

Writes how many were let through, how many were refused, and what else happened, as JSON.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

from flask_app import config, database, engines
from flask_app.config import Config
from flask_app.database import reading, transaction
from flask_app.errors import WrongCode
from flask_app.models import User
from flask_app.services.sign_in import second_step
from tests.support.together import at_once


def use(user: User, code: str) -> str:
    try:
        with transaction() as session:
            second_step.check(session, user, code, "192.0.2.1")
    except WrongCode:
        return "refused"
    return "granted"


def main(url: str, key: str, moment: str, callers: str, person: str, code: str) -> None:
    config.install(Config(instance_dir=Path(), secret_key="", encryption_key=key, database_url=url))
    engines.LOCK_SECONDS = 100  # however slow the other process is
    database.connect(url)
    with reading() as session:
        user = session.get_one(User, person)
    time.sleep(max(float(moment) - time.time(), 0))
    outcomes = at_once(int(callers), lambda _: use(user, code))
    sys.stdout.write(json.dumps(Counter(map(str, outcomes))))


if __name__ == "__main__":
    main(*sys.argv[1:])
