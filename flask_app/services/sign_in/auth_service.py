"""Signing in and out: sessions begin and end here."""

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import AppError, Forbidden
from flask_app.models import LoginSession, User
from flask_app.services.people import names, passwords
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import (
    directory_people,
    known_devices,
    login_limits,
    password_sign_in,
    pending_sign_ins,
    second_step,
)
from flask_app.services.sign_in.oidc_provider import IdentityProviderError
from flask_app.services.sign_in.pending_sign_ins import Pending
from flask_app.services.sign_in.visits import IDLE

MOST_SESSIONS = 50  # of one person


@dataclass(frozen=True)
class Browser:
    """Where a request comes from: `device` is what an earlier sign-in left there, `locale` its pages' language.

    None is a script's, which shows no pages in any.
    """

    address: str
    user_agent: str = ""
    device: str = ""
    locale: str | None = None


@dataclass(frozen=True)
class SignedIn:
    """A new session: `token` goes into the cookie and is known nowhere else. `device` is what the browser keeps."""

    user: User
    token: str
    device: str


class WrongCredentials(AppError):
    code, status = "wrong_credentials", 401


def sign_in(username: str, password: str, browser: Browser, *, replaces: str | None = None) -> SignedIn | Pending:
    """Open a session by a password that is kept here; the session `replaces`, which the browser had before, ends.

    Where the person has a second step nothing is opened or ended yet: `finish_sign_in` does that.

    Raises WrongCredentials (the same for unknown people), Forbidden("account_disabled") for the right password of
    a disabled person, Forbidden("password_sign_in_off") where members sign in by an identity provider alone, TooMany.
    """
    account = names.key(username)
    user = find(account)
    with login_limits.password_attempt(account, user.id if user else None, browser.address, browser.device) as attempt:
        if not passwords.verify(user.password_hash if user else None, password) or user is None:
            attempt.failed()
            raise WrongCredentials
    return let_in(user, password, browser, replaces=replaces)


def let_in(user: User, password: str, browser: Browser, *, replaces: str | None = None) -> SignedIn | Pending:
    """Open a session, or wait for the second step: this was the right password of theirs. Raises as `sign_in` does."""
    if user.disabled:
        raise Forbidden("account_disabled")
    if not password_sign_in.may(user):
        raise Forbidden("password_sign_in_off")
    fresh_hash = passwords.make_hash(password) if passwords.is_outdated(user.password_hash or "") else None
    with transaction() as session:
        if not _keep_hash(session, user, fresh_hash):
            raise WrongCredentials
        if second_step.is_on(session, user.id):
            return pending_sign_ins.begin(session, user.id)
        return open_session(session, user, browser, replaces=replaces)


def finish_sign_in(token: str, code: str, browser: Browser, *, replaces: str | None = None) -> SignedIn:
    """Open the session of a pending sign-in, once, by a code of the person's second step.

    Raises WrongCode, SignInExpired, TooMany.
    """
    user = pending_sign_ins.person(token)
    with login_limits.second_step_attempt(user.username_key, user.id, browser.address, browser.device):
        pending_sign_ins.count_try(token)
        with transaction() as session:
            second_step.lock(session, user.id)
            pending_sign_ins.end(session, token)
            second_step.check(session, user, code, browser.address)
            return open_session(session, user, browser, replaces=replaces)


def check_password(actor: User, session_id: str, password: str) -> None:
    """Is it them who is signed in there? A directory is asked about its own people.

    Raises Forbidden("wrong_password"), TooMany, IdentityProviderError.
    """
    asks = directory_people.is_theirs(actor)
    with login_limits.session_attempt(session_id, asks=asks) as attempt:
        try:
            is_them = (
                directory_people.knows(actor, password) if asks else passwords.verify(actor.password_hash, password)
            )
        except IdentityProviderError:
            attempt.failed()  # one of several may have said no
            raise
        if not is_them:
            attempt.failed()
            raise Forbidden("wrong_password")


def has_password(user: User) -> bool:
    """Is there one that they can be asked for: here, or where a directory knows it?"""
    return user.password_hash is not None or directory_people.is_theirs(user)


def open_session(session: Session, user: User, browser: Browser, *, replaces: str | None = None) -> SignedIn:
    """A new session, within the caller's transaction. Those whose time is over go, `replaces`, and what is too many."""
    now = utc_now()
    token = secrets.token_urlsafe(32)
    came = known_devices.come(session, user, browser.address, browser.user_agent, browser.device, replaces)
    session.execute(delete(LoginSession).where((LoginSession.expires_at <= now) | (LoginSession.id == replaces)))
    session.add(
        LoginSession(
            id=digest(token),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + IDLE,
            address=browser.address[:64],
            user_agent=browser.user_agent[:255],
            device_id=came.id,
        )
    )
    session.flush()
    _end_beyond_most(session, user.id)
    user.last_sign_in_at = user.last_seen_at = now
    user.seen_locale = browser.locale or user.seen_locale
    seen = {"last_sign_in_at": now, "last_seen_at": now, "seen_locale": user.seen_locale}
    session.execute(update(User).where(User.id == user.id).values(seen))
    return SignedIn(user, token, came.cookie)


def sign_out(session_id: str) -> None:
    with transaction() as session:
        session.execute(delete(LoginSession).where(LoginSession.id == session_id))


def end_sessions(session: Session, user_id: str, *, but: str = "") -> None:
    """End every session of a person but one, and every sign-in under way, within the caller's transaction."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.id != but))
    pending_sign_ins.end_all(session, user_id)


def _end_beyond_most(session: Session, user_id: str) -> None:
    latest_first = (LoginSession.last_seen_at.desc(), LoginSession.created_at.desc())
    of_person = select(LoginSession.id).where(LoginSession.user_id == user_id).order_by(*latest_first)
    if beyond := session.scalars(of_person.offset(MOST_SESSIONS)).all():
        session.execute(delete(LoginSession).where(LoginSession.id.in_(beyond)))


def find(account: str) -> User | None:
    """Whose folded name it is."""
    with reading() as session:
        return session.scalar(select(User).where(User.username_key == account))


def _keep_hash(session: Session, user: User, fresh: str | None) -> bool:
    """Store the fresh hash, if any. False when the password was changed or the person disabled since the check."""
    unchanged = (User.id == user.id, User.password_hash == user.password_hash, ~User.disabled)
    kept = session.execute(update(User).where(*unchanged).values(password_hash=fresh or user.password_hash))
    return bool(kept.rowcount)  # type: ignore[attr-defined]
