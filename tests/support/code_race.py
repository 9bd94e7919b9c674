"""A racer whose callers all use one code of the second step.

`python -m tests.support.code_race URL MOMENT CALLERS KEY PERSON CODE`, where KEY is what secrets are encrypted with.
"""

import sys

from flask_app.database import reading, transaction
from flask_app.errors import WrongCode
from flask_app.models import User
from flask_app.services.sign_in import second_step
from tests.support import racing


def use(user: User, code: str) -> str:
    try:
        with transaction() as session:
            second_step.check(session, user, code, "192.0.2.1")
    except WrongCode:
        return "refused"
    return "granted"


def main(url: str, moment: str, callers: str, key: str, person: str, code: str) -> None:
    racing.join(url, key)
    with reading() as session:
        user = session.get_one(User, person)
    racing.race(moment, callers, lambda _: use(user, code))


if __name__ == "__main__":
    main(*sys.argv[1:])
