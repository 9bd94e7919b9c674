"""A person's own second step: turned on with a first code, kept with recovery codes, turned off again.

Each of these acts asks for the password, or follows one that did, and gives the browser a new session.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import Conflict, WrongCode
from flask_app.models import SecondStep, User
from flask_app.services.audit import audit_service
from flask_app.services.secrets import sealing
from flask_app.services.sign_in import auth_service, login_limits, second_step, visits
from flask_app.services.sign_in.auth_service import Browser, SignedIn

SET_UP_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Standing:
    on: bool
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class Begun:
    """What an authenticator app needs to know; it is not shown again."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    signed_in: SignedIn = field(repr=False)


@dataclass(frozen=True, slots=True)
class Renewed:
    """The codes are known nowhere else."""

    recovery_codes: list[str] = field(repr=False)
    signed_in: SignedIn = field(repr=False)


def standing(actor: User) -> Standing:
    with reading() as session:
        return Standing(second_step.is_on(session, actor.id), second_step.recovery_codes_left(session, actor.id))


def begin(actor: User, session_id: str, password: str, browser: Browser) -> Begun:
    """A new secret, of which `confirm` wants a code within a quarter of an hour: nothing is asked for before.

    Raises Forbidden("wrong_password"), TooMany, Conflict("second_step_on").
    """
    auth_service.check_password(actor, session_id, password)
    secret = second_step.new_secret()
    try:
        with transaction() as session:
            second_step.lock(session, actor.id)
            visits.require_open(session, session_id)
            not_yet = (SecondStep.user_id == actor.id, SecondStep.turned_on_at.is_(None))
            session.execute(delete(SecondStep).where(*not_yet))
            session.add(SecondStep(user_id=actor.id, secret=sealing.seal(secret, actor.id)))
            session.flush()
            signed_in = auth_service.open_session(session, actor, browser, replaces=session_id)
    except IntegrityError as error:
        raise Conflict("second_step_on") from error
    return Begun(secret, second_step.uri(secret, actor.username), signed_in)


def confirm(actor: User, session_id: str, code: str, browser: Browser) -> Renewed:
    """Turn it on by a code of the new secret. Every other session ends.

    Raises WrongCode, TooMany, Conflict("second_step_not_begun").
    """
    with login_limits.own_second_step_attempt(session_id, actor.id), transaction() as session:
        second_step.lock(session, actor.id)  # a sign-in that saw no second step is over: its session ends as well
        visits.require_open(session, session_id)
        row = session.scalar(select(SecondStep).where(SecondStep.user_id == actor.id))
        if row is None or row.turned_on_at or row.begun_at <= utc_now() - SET_UP_WITHIN:
            raise Conflict("second_step_not_begun")
        digits, now = second_step.digits_of(code), utc_now()
        step = second_step.matching_step(second_step.opened(row), digits, now) if digits else None
        if step is None:
            raise WrongCode
        row.turned_on_at, row.last_step = now, step
        auth_service.end_sessions(session, actor.id, but=session_id)
        return _renew(session, actor, "second_step.turn_on", session_id, browser)


def renew_recovery_codes(actor: User, session_id: str, password: str, code: str, browser: Browser) -> Renewed:
    """Ten new recovery codes; the old ones are good for nothing any more.

    Raises Forbidden("wrong_password"), WrongCode, TooMany, Conflict("second_step_off").
    """
    auth_service.check_password(actor, session_id, password)
    with login_limits.own_second_step_attempt(session_id, actor.id), transaction() as session:
        _check_code(session, actor, session_id, code, browser)
        return _renew(session, actor, "second_step.renew_recovery_codes", session_id, browser)


def turn_off(actor: User, session_id: str, password: str, code: str, browser: Browser) -> SignedIn:
    """Raises Forbidden("wrong_password"), WrongCode, TooMany, Conflict("second_step_off")."""
    auth_service.check_password(actor, session_id, password)
    with login_limits.own_second_step_attempt(session_id, actor.id), transaction() as session:
        _check_code(session, actor, session_id, code, browser)
        second_step.forget(session, actor.id)
        return _noted(session, actor, "second_step.turn_off", session_id, browser)


def _check_code(session: Session, actor: User, session_id: str, code: str, browser: Browser) -> None:
    second_step.lock(session, actor.id)
    visits.require_open(session, session_id)
    if not second_step.is_on(session, actor.id):
        raise Conflict("second_step_off")
    second_step.check(session, actor, code, browser.address)


def _renew(session: Session, actor: User, action: str, session_id: str, browser: Browser) -> Renewed:
    codes = second_step.renew_recovery_codes(session, actor.id)
    return Renewed(codes, _noted(session, actor, action, session_id, browser))


def _noted(session: Session, actor: User, action: str, session_id: str, browser: Browser) -> SignedIn:
    audit_service.record(session, actor, action, actor.id, {"username": actor.username}, browser.address)
    return auth_service.open_session(session, actor, browser, replaces=session_id)
