"""Single-use links by which a person chooses a password: for new people and for those who forgot theirs.

The token stands after the `#` of the link, so that it reaches no server's log; only its digest is stored.
"""

import secrets
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import Forbidden
from flask_app.models import PasswordLink, User
from flask_app.services.audit import audit_service
from flask_app.services.people import passwords
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service, login_limits, second_step
from flask_app.services.sign_in.auth_service import Browser, SignedIn

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Link:
    """The token is known nowhere else: it is shown once."""

    token: str
    expires_at: datetime


def issue(session: Session, user_id: str) -> Link:
    """A new link, within the caller's transaction; the person's earlier ones no longer open anything."""
    revoke(session, user_id)
    return _made(session, user_id, LIFETIME)


def issue_beside(session: Session, user_id: str, lifetime: timedelta) -> Link:
    """A new link that a stranger may have asked for, within the caller's transaction: it ends none that is open."""
    over = (PasswordLink.user_id == user_id, PasswordLink.expires_at <= utc_now())
    session.execute(delete(PasswordLink).where(*over))
    return _made(session, user_id, lifetime)


def revoke(session: Session, user_id: str) -> None:
    """The person's links open nothing any more, within the caller's transaction."""
    session.execute(delete(PasswordLink).where(PasswordLink.user_id == user_id))


def revoke_of(session: Session, group_id: str) -> None:
    """The same of everybody in a group: whoever managed it may have kept some."""
    in_it = select(User.id).where(User.group_id == group_id)
    session.execute(delete(PasswordLink).where(PasswordLink.user_id.in_(in_it)))


def owner(token: str, address: str) -> User:
    """Whose password the link sets.

    Raises Forbidden("reset_link_invalid") for a link that is used, expired or unknown, or whose person is disabled;
    TooMany.
    """
    with login_limits.code_attempt(address) as attempt:
        user = _person_of(token)
        if user is None:
            attempt.failed()
            raise Forbidden("reset_link_invalid")
        return user


def use(
    token: str, password: str, browser: Browser, *, code: str | None = None, replaces: str | None = None
) -> SignedIn:
    """Choose a password by a link and sign in: every other session, and every other link, of the person ends.

    So does the session `replaces`, which the browser had before. Raises what `owner` raises; and, leaving link and
    password as they are, Invalid for a weak password, SecondStepNeeded where `code` is missing, WrongCode.
    """
    user = owner(token, browser.address)
    passwords.check_strength(password, user.username)
    stored = passwords.make_hash(password)
    with _guess(user, code, browser), transaction() as session:
        second_step.lock(session, user.id)
        second_step.check(session, user, code, browser.address)
        used = session.execute(update(PasswordLink).where(*_open(token)).values(used_at=utc_now()))
        if not used.rowcount:  # type: ignore[attr-defined]
            raise Forbidden("reset_link_invalid")
        others = (PasswordLink.user_id == user.id, PasswordLink.used_at.is_(None))
        session.execute(delete(PasswordLink).where(*others))
        session.execute(update(User).where(User.id == user.id).values(password_hash=stored))
        auth_service.end_sessions(session, user.id)
        audit_service.record(session, user, "password.reset", user.id, address=browser.address)
        return auth_service.open_session(session, user, browser, replaces=replaces)


def _made(session: Session, user_id: str, lifetime: timedelta) -> Link:
    link = Link(secrets.token_urlsafe(32), utc_now() + lifetime)
    session.add(PasswordLink(id=digest(link.token), user_id=user_id, expires_at=link.expires_at))
    return link


def _guess(user: User, code: str | None, browser: Browser) -> AbstractContextManager[object]:
    if code is None:
        return nullcontext()
    return login_limits.second_step_attempt(user.username_key, user.id, browser.address, browser.device)


def _person_of(token: str) -> User | None:
    with reading() as session:
        to_person = select(User).join(PasswordLink, PasswordLink.user_id == User.id)
        return session.scalar(to_person.where(*_open(token), ~User.disabled))


def _open(token: str) -> tuple[ColumnElement[bool], ...]:
    return PasswordLink.id == digest(token), PasswordLink.used_at.is_(None), PasswordLink.expires_at > utc_now()
