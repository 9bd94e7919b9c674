"""The first run: a code printed where the server was started makes the first administrator, the owner, once."""

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import reading, transaction, utc_now
from flask_app.domain import typed_code
from flask_app.errors import Conflict, Forbidden
from flask_app.models import DEFAULT_GROUP_ID, Setting, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import title_setting
from flask_app.services.people import group_service, joining, names, passwords
from flask_app.services.secrets.signing import same, sign
from flask_app.services.sign_in import auth_service, login_limits
from flask_app.services.sign_in.auth_service import Browser, SignedIn

MARK = "setup"  # the row of `settings` that exists once set-up is over


def is_done() -> bool:
    """Is there an administrator?"""
    with reading() as session:
        return has_administrator(session)


def has_administrator(session: Session) -> bool:
    marked = exists().where(Setting.name == MARK)
    present = exists().where(User.role == "admin")
    return bool(session.scalar(select(marked | present)))


def code() -> str:
    """The set-up code, XXXX-XXXX-XXXX-XXXX: 80 bits that follow from SECRET_KEY, so that every worker knows them."""
    number = int.from_bytes(sign("setup-code")[:10])
    return typed_code.shown("".join(typed_code.ALPHABET[number >> shift & 31] for shift in range(75, -5, -5)))


def code_line() -> str | None:
    """What the server prints at its start; None when an administrator exists."""
    return None if is_done() else f"Set-up code: {code()}"


def set_up(given_code: str, username: str, password: str, browser: Browser) -> SignedIn:
    """Make the first administrator and sign them in.

    Raises Conflict("setup_done"), Conflict("username_taken") for somebody made on the command line,
    Forbidden("wrong_setup_code"), TooMany, Invalid.
    """
    if is_done():
        raise Conflict("setup_done")
    with login_limits.code_attempt(browser.address) as attempt:
        if not same(typed_code.read(given_code) or "", typed_code.read(code()) or ""):
            attempt.failed()
            raise Forbidden("wrong_setup_code")
    shown = names.checked(username)
    passwords.check_strength(password, shown)
    stored = passwords.make_hash(password)
    try:
        with transaction() as session:
            group = group_service.chosen(session, DEFAULT_GROUP_ID)
            close(session)
            user = User(
                username=shown, username_key=names.key(shown), password_hash=stored, role="admin", is_owner=True
            )
            joining.put(session, Actor(user, browser.address), user, group)
            audit_service.record(session, user, "setup.finish", user.id, {"username": shown}, browser.address)
            return auth_service.open_session(session, user, browser)
    except IntegrityError as error:  # somebody else was faster, or the name is there already
        raise Conflict("setup_done" if is_done() else "username_taken") from error


def close(session: Session) -> None:
    """End set-up, within the transaction that makes an administrator, and have what a site that is set up begins with.

    Of two at once one gets IntegrityError.
    """
    session.add(Setting(name=MARK, value=utc_now().isoformat()))
    session.flush()
    title_setting.begin(session)
