"""Which mail address is somebody's own: one at which a mail of this site has reached them.

A link confirms the address of whoever registers, a code that of whoever is here already. An address that was only
typed proves nothing: it may be a stranger's by a slip, or that of whoever sits at somebody's open browser.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, utc_now
from flask_app.domain import typed_code
from flask_app.errors import Conflict, Forbidden
from flask_app.i18n import translate
from flask_app.models import User
from flask_app.services.audit import audit_service
from flask_app.services.people import password_links
from flask_app.services.secrets.signing import same, sign
from flask_app.services.sign_in import login_limits, proof_service
from flask_app.services.site import site_service
from flask_app.services.warnings import address_alerts, mail_service, notice_service

HOLDS = timedelta(minutes=30)  # a code, at least; at most twice as long


def is_the_confirmed(user: User, email: str | None) -> bool:
    return email is not None and mail_service.folded(email) == user.confirmed_email


def is_confirmed(user: User) -> bool:
    """Is the address that they have now proven to be theirs?"""
    return is_the_confirmed(user, user.email)


def send_code(actor: User, session_id: str, began_at: datetime, *, password: str | None, locale: str) -> None:
    """Mail a code to the person's address. Their password is asked for: who confirms an address can come in by it.

    Raises Conflict("no_address"), Forbidden("wrong_password", "sign_in_again"), TooMany, DeliveryError.
    """
    if actor.email is None:
        raise Conflict("no_address")
    proof_service.require_password(actor, session_id, began_at, password)
    login_limits.count_address_code(actor.id)
    brand = site_service.brand(locale)
    code = typed_code.shown(code_at(actor, utc_now()))
    subject = translate(locale, "account.address_subject", brand=brand)
    text = translate(locale, "account.address_text", brand=brand, name=actor.username, code=code)
    mail_service.send(actor.email, subject, f"{text}\n", locale=locale)


def confirm(actor: User, typed: str, address: str) -> User:
    """From now on the person's address counts as theirs, and no link opens that was mailed to another.

    Raises Forbidden("wrong_address_code"), also where another address was given since; TooMany.
    """
    code, now = typed_code.read(typed) or "", utc_now()
    with login_limits.address_attempt(actor.id) as attempt:
        if actor.email is None or not any(same(code, code_at(actor, at)) for at in (now, now - HOLDS)):
            attempt.failed()
            raise Forbidden("wrong_address_code")
    confirmed = mail_service.folded(actor.email)

    def work(session: Session) -> None:
        give_up(session, actor, address, but=confirmed)
        unchanged = (User.id == actor.id, User.email == actor.email)
        done = session.execute(update(User).where(*unchanged).values(confirmed_email=confirmed))
        if not done.rowcount:  # type: ignore[attr-defined]
            raise Forbidden("wrong_address_code")
        audit_service.record(session, actor, "address.confirm", actor.id, {"username": actor.username}, address)

    in_transaction(work)
    actor.confirmed_email = confirmed
    return actor


def give_up(session: Session, user: User, client: str, *, but: str | None = None) -> None:
    """The confirmed address goes, if there is one other than `but`: no link opens that was mailed to it, and a last
    mail there says so. Must come before the change itself."""
    held = select(User.email, User.confirmed_email).where(User.id == user.id).with_for_update()
    given, confirmed = session.execute(held).one()
    if confirmed in {None, but}:
        return
    password_links.revoke(session, user.id)
    if mail_service.is_set_up() and login_limits.may_tell_given_up(user.id):
        to = given if given and mail_service.folded(given) == confirmed else confirmed
        notice_service.add(session.connection(), [address_alerts.given_up(user, to, client)])


def code_at(user: User, at: datetime) -> str:
    """The code that is mailed at that moment to this person's address: nothing is stored."""
    period = int(at.timestamp() / HOLDS.total_seconds())
    return typed_code.of(sign("address", f"{user.id}\0{mail_service.folded(user.email or '')}\0{period}"))
