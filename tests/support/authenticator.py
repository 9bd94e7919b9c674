"""A person's phone: an authenticator app of somebody else's making, and how its person gets one."""

import time
from datetime import timedelta

import pyotp
from sqlalchemy import update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import SecondStep, User
from flask_app.services.secrets import sealing
from flask_app.services.sign_in import second_step

STEP = 30
NEAR = 4.0  # seconds: a code made so shortly before the next step may arrive in it


def turn_on(user: User) -> tuple[str, list[str]]:
    """The person has a second step from now on: the secret, and the recovery codes. No code of it was used yet."""
    secret = second_step.new_secret()
    with transaction() as session:
        row = SecondStep(user_id=user.id, secret=sealing.seal(secret, user.id), turned_on_at=utc_now())
        session.add(row)
        return secret, second_step.renew_recovery_codes(session, user.id)


def code(secret: str, *, steps: int = 0) -> str:
    """What the phone shows so many steps from now. Towards the end of a step it waits for the next one."""
    left = STEP - time.time() % STEP
    if left < NEAR:
        time.sleep(left)
    return pyotp.TOTP(secret).at(int(time.time()), counter_offset=steps)


def wrong(secret: str) -> str:
    """Six digits that are none of those about now."""
    near = {pyotp.TOTP(secret).at(int(time.time()), counter_offset=steps) for steps in range(-3, 4)}
    return next(digits for digits in map("{:06}".format, range(10)) if digits not in near)


def fresh(user: User) -> None:
    """As if a minute and more had passed: the code of now was not used yet."""
    with transaction() as session:
        session.execute(update(SecondStep).where(SecondStep.user_id == user.id).values(last_step=None))


def begun_before(user: User, ago: timedelta) -> None:
    with transaction() as session:
        earlier = utc_now() - ago
        session.execute(update(SecondStep).where(SecondStep.user_id == user.id).values(begun_at=earlier))


def row_of(user: User) -> SecondStep | None:
    with reading() as session:
        return session.get(SecondStep, user.id)
