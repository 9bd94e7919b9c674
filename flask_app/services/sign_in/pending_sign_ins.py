"""Sign-ins that wait for their second step: five minutes, five tries, one browser. They open nothing by themselves."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import AppError
from flask_app.models import PendingSignIn, User
from flask_app.services.secrets.signing import digest

LIFETIME = timedelta(minutes=5)
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Pending:
    """The token goes into a cookie and is known nowhere else."""

    token: str = field(repr=False)


class SignInExpired(AppError):
    code, status = "sign_in_expired", 401


def begin(session: Session, user_id: str) -> Pending:
    """After a right password, within the caller's transaction. Those whose time is over go."""
    now = utc_now()
    pending = Pending(secrets.token_urlsafe(32))
    session.execute(delete(PendingSignIn).where(PendingSignIn.expires_at <= now))
    session.add(PendingSignIn(id=digest(pending.token), user_id=user_id, expires_at=now + LIFETIME))
    return pending


def person(token: str) -> User:
    """Whose sign-in it is; raises SignInExpired for one that is over, was never begun, or whose person is disabled."""
    with reading() as session:
        to_person = select(User).join(PendingSignIn, PendingSignIn.user_id == User.id)
        user = session.scalar(to_person.where(*_open(token), ~User.disabled))
    if user is None:
        raise SignInExpired
    return user


def count_try(token: str) -> None:
    """Use up one of the tries before a code is looked at, so that none is free; raises SignInExpired."""
    with transaction() as session:
        counted = update(PendingSignIn).where(*_open(token)).values(tries=PendingSignIn.tries + 1)
        if not session.execute(counted).rowcount:  # type: ignore[attr-defined]
            raise SignInExpired


def end(session: Session, token: str) -> None:
    """It opens a session now, within the caller's transaction: of two at once one gets SignInExpired."""
    if not session.execute(delete(PendingSignIn).where(PendingSignIn.id == digest(token))).rowcount:  # type: ignore[attr-defined]
        raise SignInExpired


def end_all(session: Session, user_id: str) -> None:
    """The person's sign-ins under way lead nowhere any more, within the caller's transaction."""
    session.execute(delete(PendingSignIn).where(PendingSignIn.user_id == user_id))


def _open(token: str) -> tuple[Any, ...]:
    in_time = PendingSignIn.expires_at > utc_now()
    return PendingSignIn.id == digest(token), in_time, PendingSignIn.tries < MOST_TRIES
