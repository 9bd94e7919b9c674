"""The second step of signing in: six digits of an authenticator app (RFC 6238) or a recovery code, each once."""

import base64
import re
import secrets
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from flask_app.database import utc_now
from flask_app.domain import typed_code
from flask_app.errors import AppError, Unavailable, WrongCode
from flask_app.models import RecoveryCode, SecondStep, User
from flask_app.services.audit import audit_service
from flask_app.services.secrets import sealing
from flask_app.services.secrets.signing import digest, same
from flask_app.services.site import site_service

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_SECONDS, DIGITS = 30, 6
SECRET_BYTES = 20  # RFC 4226, section 4: as many as the hash has
RECOVERY_CODES = 10

ON = exists().where(SecondStep.user_id == User.id, SecondStep.turned_on_at.is_not(None))  # of the person of a query

_BETWEEN = re.compile(r"[\s-]+")


class SecondStepNeeded(AppError):
    code, status = "second_step_needed", 401


def is_on(session: Session, user_id: str) -> bool:
    """Is the person asked for a code?"""
    return bool(session.scalar(select(exists().where(*_turned_on(user_id)))))


def lock(session: Session, user_id: str) -> None:
    """Whoever changes how a person signs in locks their row first: nothing changes meanwhile, no two wait in a ring."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update())


def check(session: Session, user: User, typed: str | None, address: str) -> None:
    """Use up a code, within the caller's transaction, where the person has a second step.

    Raises SecondStepNeeded without one, WrongCode for a wrong or a used one, Unavailable("second_step_unreadable").
    """
    if not is_on(session, user.id):
        return
    if typed is None:
        raise SecondStepNeeded
    if digits := digits_of(typed):
        used = _use_digits(session, user.id, digits, utc_now())
    else:
        used = _use_recovery_code(session, user, typed, address)
    if not used:
        raise WrongCode


def new_secret() -> str:
    """As authenticator apps take it: base 32."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def uri(secret: str, username: str) -> str:
    """What the picture says to an authenticator app."""
    return _generator(secret).get_provisioning_uri(username, site_service.brand("en"))


def digits_of(typed: str) -> str | None:
    """The six digits, whatever their width and the spaces between; None for what is no such code."""
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed))
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdecimal() else None


def matching_step(secret: str, digits: str, now: datetime) -> int | None:
    """The time step whose code this is: now's, the one before or the one after. All three are always looked at."""
    generator, current = _generator(secret), int(now.timestamp()) // STEP_SECONDS
    steps = (current - 1, current, current + 1)
    return max((step for step in steps if same(digits, generator.generate(step * STEP_SECONDS).decode())), default=None)


def opened(row: SecondStep) -> str:
    """The secret; raises Unavailable("second_step_unreadable")."""
    try:
        return sealing.unseal(row.secret, row.user_id)
    except sealing.Unreadable as error:
        raise Unavailable("second_step_unreadable") from error


def renew_recovery_codes(session: Session, user_id: str) -> list[str]:
    """Ten new codes in the place of all others, within the caller's transaction. They are known nowhere else."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [typed_code.new() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(id=_digest(user_id, code), user_id=user_id) for code in codes)
    return [typed_code.shown(code) for code in codes]


def recovery_codes_left(session: Session, user_id: str) -> int:
    return session.scalar(select(func.count()).where(RecoveryCode.user_id == user_id)) or 0


def forget(session: Session, user_id: str) -> bool:
    """Ask for no code any more, within the caller's transaction. False where none was asked for."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    forgotten = session.execute(delete(SecondStep).where(*_turned_on(user_id)))
    return bool(forgotten.rowcount)  # type: ignore[attr-defined]


def _turned_on(user_id: str) -> tuple[Any, ...]:
    return SecondStep.user_id == user_id, SecondStep.turned_on_at.is_not(None)


def _use_digits(session: Session, user_id: str, digits: str, now: datetime) -> bool:
    """Of several at once the database lets one through."""
    row = session.scalar(select(SecondStep).where(*_turned_on(user_id)))
    step = matching_step(opened(row), digits, now) if row else None
    if row is None or step is None:
        return False
    unused = or_(SecondStep.last_step.is_(None), SecondStep.last_step < step)
    same_secret = SecondStep.secret == row.secret
    use = update(SecondStep).where(SecondStep.user_id == user_id, same_secret, unused).values(last_step=step)
    return bool(session.execute(use.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]


def _use_recovery_code(session: Session, user: User, typed: str, address: str) -> bool:
    code = typed_code.read(typed)
    if code is None:
        return False
    used = session.execute(delete(RecoveryCode).where(RecoveryCode.id == _digest(user.id, code)))
    if not used.rowcount:  # type: ignore[attr-defined]
        return False
    details = {"username": user.username, "left": recovery_codes_left(session, user.id)}
    audit_service.record(session, user, "second_step.use_recovery_code", user.id, details, address)
    return True


def _digest(user_id: str, code: str) -> str:
    return digest(f"{user_id}:{code}")


def _generator(secret: str) -> "TOTP":
    # Imported when the first code is asked for, as in `sealing`.
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what authenticator apps make
