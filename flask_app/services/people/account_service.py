"""A person's own account: what they chose, their password, and the greeting of the first run."""

from collections.abc import Callable
from typing import Any, TypedDict, Unpack, cast

from sqlalchemy import update
from sqlalchemy.orm import Session

from flask_app import timezones
from flask_app.database import in_transaction, transaction
from flask_app.errors import Conflict, Invalid
from flask_app.i18n import LOCALES
from flask_app.models import User
from flask_app.services.people import addresses, password_links, passwords, setup_service
from flask_app.services.sign_in import auth_service, known_devices, visits
from flask_app.services.sign_in.auth_service import Browser, SignedIn
from flask_app.services.warnings import mail_service

DEFAULT_THEME = "system"
THEMES = ("light", "dark", DEFAULT_THEME)


class Choices(TypedDict, total=False):
    """What a person may write about themselves. The columns are called the same."""

    locale: str | None
    theme: str | None
    timezone: str | None
    email: str | None
    warn_by_email: bool | None


CHOICES = tuple(Choices.__annotations__)


def announce() -> None:
    """Print the set-up code on a line of its own while no administrator exists."""
    if line := setup_service.code_line():
        print(line, flush=True)  # noqa: T201 - a person at the terminal reads it; logs never get it


def choose(actor: User, client: str = "", **choices: Unpack[Choices]) -> User:
    """Keep what the person has chosen; what is None stays, an empty address goes. Raises Invalid.

    `client` is from which address, for a mail that says that theirs was given up.
    """
    chosen = {name: _CHECKS[name](value) for name, value in choices.items() if value is not None}
    if "email" in chosen and not (addresses.is_confirmed(actor) and addresses.is_the_confirmed(actor, chosen["email"])):
        chosen["confirmed_email"] = None
    if chosen:

        def work(session: Session) -> None:
            if "confirmed_email" in chosen:
                addresses.give_up(session, actor, client)
            session.execute(update(User).where(User.id == actor.id).values(chosen))

        in_transaction(work)
        for name, value in chosen.items():
            setattr(actor, name, value)
    return actor


def settle_in(actor: User, *, locale: str | None, theme: str | None, timezone: str | None) -> None:
    """Keep what the browser tells of a person who has not chosen yet; what is unknown here stops nobody."""
    told: Choices = {
        "locale": locale if locale in LOCALES else None,
        "theme": theme if theme in THEMES else None,
        "timezone": timezone if timezone is not None and timezones.is_known(timezone) else None,
    }
    choose(actor, **cast("Choices", {name: value for name, value in told.items() if getattr(actor, name) is None}))


def change_password(actor: User, session_id: str, current: str, new: str, browser: Browser) -> SignedIn:
    """Replace the password. Every session and every open link ends; the browser that asked gets a new session.

    Raises Forbidden("wrong_password"), TooMany, Invalid.
    """
    auth_service.check_password(actor, session_id, current)
    passwords.check_strength(new, actor.username)
    stored = passwords.make_hash(new)
    with transaction() as session:
        unchanged = (User.id == actor.id, User.password_hash == actor.password_hash)
        if not session.execute(update(User).where(*unchanged).values(password_hash=stored)).rowcount:  # type: ignore[attr-defined]
            raise Conflict
        visits.require_open(session, session_id)
        known_devices.disown(session, actor, session_id)
        auth_service.end_sessions(session, actor.id, but=session_id)
        password_links.revoke(session, actor.id)
        return auth_service.open_session(session, actor, browser, replaces=session_id)


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise Invalid
    return value


def _time_zone(name: str) -> str:
    if not timezones.is_known(name):
        raise Invalid("unknown_timezone")
    return name


def _address(typed: str) -> str | None:
    return mail_service.checked(typed) if typed.strip() else None


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "locale": lambda value: _one_of(value, LOCALES),
    "theme": lambda value: _one_of(value, THEMES),
    "timezone": _time_zone,
    "email": _address,
    "warn_by_email": bool,
}
