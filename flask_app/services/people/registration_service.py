"""Asking for an account without an invitation: at once, after a mail came back, or once an administrator says so."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.column_types import ByServer
from flask_app.database import in_transaction, reading, transaction, utc_now
from flask_app.errors import AppError, Conflict, Forbidden, Invalid, TooMany
from flask_app.i18n import translate
from flask_app.models import Group, LinkedIdentity, Registration, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import (
    group_service,
    joining,
    names,
    passwords,
    registered_addresses,
    registration_settings,
)
from flask_app.services.people.registration_settings import OPEN, Terms
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service, left_identities, login_limits
from flask_app.services.sign_in.auth_service import Browser, SignedIn
from flask_app.services.site import site_service
from flask_app.services.warnings import mail_service

CONFIRM, APPROVAL, IN = "confirm", "approval", "in"  # what a registration waits for, or that it does not any more
TO_CONFIRM, TO_APPROVE = timedelta(hours=24), timedelta(days=30)
MOST_WAITING = 500  # of all


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`site_url` is where the mail's link leads, in the language `locale`."""

    username: str
    password: str
    email: str | None
    locale: str
    site_url: str


def state_of(registration: Registration) -> str:
    """One of CONFIRM, APPROVAL and IN."""
    if registration.user_id is not None:
        return IN
    return CONFIRM if registration.email and registration.confirmed_at is None else APPROVAL


def register(wanted: Wanted, browser: Browser, *, replaces: str | None = None) -> SignedIn | Registration:
    """Come in, or what is waited for.

    Raises Forbidden("registration_closed"), TooMany, Invalid for a bad name, a weak password or "bad_email",
    "email_not_taken" (its domain), "email_not_asked" (without mail), Conflict("username_taken", "email_taken"), and
    DeliveryError where the mail could not be sent: then nothing is kept.
    """
    terms = registration_settings.terms()
    if not terms.is_open:
        raise Forbidden("registration_closed")
    login_limits.count_registration(browser.address)
    asked = _checked(terms, wanted, browser.address)
    if terms.mode == OPEN and not terms.needs_email:
        return _come_in_at_once(asked, terms, browser, replaces)
    token = secrets.token_urlsafe(32)
    asked.digest = digest(token) if terms.needs_email else None
    with transaction() as session:
        session.add(asked)
    if terms.needs_email:
        _send(asked, token, wanted)
    return asked


def confirm(token: str, address: str) -> Registration:
    """The mail's link: its person comes in, or waits for an administrator. The second time it is as after the first.

    Raises Forbidden("registration_unknown", "registration_closed"), Conflict("username_taken", "email_taken"), TooMany,
    ComesTooSoon.
    """
    with login_limits.code_attempt(address) as attempt:
        found = _by_token(token)
        if found is None:
            attempt.failed()
            raise Forbidden("registration_unknown")
    terms = registration_settings.terms()
    if not terms.is_open and found.user_id is None:
        raise Forbidden("registration_closed")

    def work(session: Session) -> Registration:
        group = group_of(session, terms)
        registration = session.get(Registration, found.id, with_for_update=True)
        if registration is None:  # refused meanwhile
            raise Forbidden("registration_unknown")
        if registration.confirmed_at is None:
            registration.confirmed_at = utc_now()
            registration.expires_at = registration.confirmed_at + TO_APPROVE
        if registration.user_id is None and terms.mode == OPEN:
            user = come_in(session, None, registration, group, address)
            audit_service.record(session, user, "registration.come_in", user.id, {"group": group.name}, address)
        return registration

    return in_transaction(work)


def come_in(session: Session, actor: Actor | None, registration: Registration, group: Group, address: str = "") -> User:
    """The account, within the caller's transaction; nobody lets in who comes by themselves.

    Raises Conflict("username_taken", "email_taken"), and ComesTooSoon for an address whose account was deleted lately,
    unless somebody lets them in.
    """
    folded = mail_service.folded(registration.email) if registration.email and not registration.identity else None
    if folded and actor is None:
        left_identities.check(session, left_identities.of_address(folded))
    user = _user_of(registration)
    joining.put(session, actor or Actor(user, address), user, group)
    registration.user_id, registration.expires_at, registration.password_hash = user.id, None, None
    if registration.identity:
        _link(session, registration, user)
    else:
        registration.came_in_by = user.confirmed_email = folded
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("email_taken") from error
    return user


def group_of(session: Session, terms: Terms) -> Group:
    """Before anything else is locked (`turns`). Once it is deleted nobody comes in by themselves."""
    try:
        return group_service.chosen(session, terms.group_id)
    except Invalid as error:
        raise Forbidden("registration_closed") from error


def require_room(session: Session) -> None:
    """Raises TooMany("registrations_full") while too many wait."""
    waiting = select(func.count()).select_from(Registration).where(Registration.user_id.is_(None))
    if (session.scalar(waiting) or 0) >= MOST_WAITING:
        raise TooMany("registrations_full", retry_after=int(TO_CONFIRM.total_seconds()))


def prune() -> None:
    """Forget who did not come in in time."""
    over = (Registration.user_id.is_(None), Registration.expires_at <= ByServer(0))
    with transaction() as session:
        session.execute(delete(Registration).where(*over))


def _link(session: Session, registration: Registration, user: User) -> None:
    """The identity that asked opens the account. An address that a provider told was confirmed by no mail."""
    session.add(
        LinkedIdentity(
            provider_id=registration.identity_provider_id,
            user_id=user.id,
            identity=registration.identity,
            shown=registration.email or registration.username,
        )
    )
    registration.identity = None


def _checked(terms: Terms, wanted: Wanted, address: str) -> Registration:
    shown = names.checked(wanted.username)
    email = _email(terms, wanted.email)
    passwords.check_strength(wanted.password, shown)
    with reading() as session:
        if session.scalar(select(User.id).where(User.username_key == names.key(shown))):
            raise Conflict("username_taken")
        if email and registered_addresses.registration_of(session, email):
            raise Conflict("email_taken")
        require_room(session)
    stored = passwords.make_hash(wanted.password)
    until = utc_now() + (TO_CONFIRM if email else TO_APPROVE)
    return Registration(username=shown, password_hash=stored, email=email, address=address, expires_at=until)


def _email(terms: Terms, typed: str | None) -> str | None:
    if not terms.needs_email:
        if typed:
            raise Invalid("email_not_asked")
        return None
    email = mail_service.checked(typed or "")
    if not terms.takes(email):
        raise Invalid("email_not_taken", domains=", ".join(terms.domains))
    return email


def _come_in_at_once(asked: Registration, terms: Terms, browser: Browser, replaces: str | None) -> SignedIn:
    def work(session: Session) -> SignedIn:
        group = group_of(session, terms)
        user = _user_of(asked)
        joining.put(session, Actor(user, browser.address), user, group)
        audit_service.record(session, user, "registration.come_in", user.id, {"group": group.name}, browser.address)
        return auth_service.open_session(session, user, browser, replaces=replaces)

    return in_transaction(work)


def _user_of(registration: Registration) -> User:
    return User(
        username=registration.username,
        username_key=names.key(registration.username),
        password_hash=registration.password_hash,
        email=registration.email,
        role="member",
    )


def _send(asked: Registration, token: str, wanted: Wanted) -> None:
    brand = site_service.brand(wanted.locale)
    link = f"{wanted.site_url}/confirm#{token}"
    subject = translate(wanted.locale, "registration.mail_subject", brand=brand)
    text = translate(wanted.locale, "registration.mail_text", brand=brand, name=asked.username, link=link)
    try:
        mail_service.send(asked.email or "", subject, text + "\n", locale=wanted.locale)
    except AppError:
        with transaction() as session:
            session.execute(delete(Registration).where(Registration.id == asked.id))
        raise


def _by_token(token: str) -> Registration | None:
    """Whoever has come in is told so once more."""
    with reading() as session:
        found = session.scalar(select(Registration).where(Registration.digest == digest(token)))
    return None if found is None or (found.expires_at and found.expires_at <= utc_now()) else found
