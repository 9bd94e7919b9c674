"""A letter with a link for whoever forgot their password, to the address that they have confirmed.

Who asks is a stranger. Their request is only counted; a thread of its own looks up afterwards who is meant. So neither
the reply, nor the time that it takes, nor how soon another's letter comes, can say whether there is such a person.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from random import SystemRandom

import structlog
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.exc import SQLAlchemyError

from flask_app import i18n
from flask_app.database import reading, transaction
from flask_app.errors import DeliveryError, Invalid
from flask_app.models import User
from flask_app.services.audit import audit_service
from flask_app.services.people import addresses, names, password_links
from flask_app.services.sign_in import directory_people, identity_links, login_limits, password_sign_in
from flask_app.services.site import site_service
from flask_app.services.warnings import mail_service

LIFETIME = timedelta(hours=1)
MOST_WAITING = 32  # in a process
MOST_AT_ONCE = 4  # of these are written: each may keep one of the ten threads that passwords are hashed on too
MOST_PEOPLE = 10  # who share one address
LATER_SECONDS = (0.2, 0.6)
THREAD = "reset-letter"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """`typed` is a name or an address, `site_url` where the link leads, `address` whence it was asked."""

    typed: str
    site_url: str
    address: str


@dataclass(frozen=True, slots=True)
class _Letter:
    """`kind` is "link", "elsewhere" or "nowhere"; the text says `link`, or `ways` to sign in by."""

    kind: str
    link: str = ""
    ways: str = ""


_places, _turns = threading.BoundedSemaphore(MOST_WAITING), threading.BoundedSemaphore(MOST_AT_ONCE)


def ask(asked: Asked) -> None:
    """Have a letter sent to whoever is meant, if anybody. Raises TooMany for who asks too often, whoever that is.

    While too many wait nobody gets one and nobody is told: that others are known here is not to be seen either.
    """
    login_limits.count_reset_letter_asked(asked.address)
    if not _places.acquire(blocking=False):
        log.warning("reset_letter_not_sent", reason="too many at once")
        return
    threading.Thread(target=_answer, args=(asked,), name=THREAD, daemon=True).start()


def _answer(asked: Asked) -> None:
    """After a while that nobody can foresee. Without a wait gevent would look up who is meant before the reply goes."""
    try:
        time.sleep(SystemRandom().uniform(*LATER_SECONDS))
        with _turns:
            for user in _meant(asked.typed):
                _write(user, asked)
    except SQLAlchemyError as error:
        log.warning("reset_letter_not_sent", reason=str(error.__cause__ or error))
    except Exception:
        log.exception("reset_letter_not_sent")
    finally:
        _places.release()


def _meant(typed: str) -> Sequence[User]:
    """Whose name or confirmed address it is. One address may be that of several: a parent, and the children."""
    wanted: list[ColumnElement[bool]] = [User.username_key == names.key(typed)]
    with suppress(Invalid):  # then it is a name
        wanted.append(User.confirmed_email == mail_service.folded(mail_service.checked(typed)))
    with reading() as session:
        found = select(User).where(or_(*wanted), ~User.disabled).order_by(User.id).limit(MOST_PEOPLE)
        return [user for user in session.scalars(found) if addresses.is_confirmed(user)]


def _write(user: User, asked: Asked) -> None:
    """Who asked has the reply already: what fails is in the log."""
    if not login_limits.may_send_reset_letter(user.id):
        return
    letter = _letter(user, asked)
    if letter is None:
        return
    locale = i18n.chosen(user.language or site_service.site().locale)
    said = {"brand": site_service.brand(locale), "name": user.username, "link": letter.link, "ways": letter.ways}
    subject = i18n.translate(locale, f"auth.letter_{letter.kind}_subject", **said)
    text = i18n.translate(locale, f"auth.letter_{letter.kind}_text", **said)
    try:
        mail_service.send(user.email or "", subject, f"{text}\n", locale=locale)
    except (DeliveryError, Invalid) as error:  # an address that was kept by an older version of the rules
        detail = error.detail if isinstance(error, DeliveryError) else None
        log.warning("reset_letter_not_sent", user=user.id, code=error.code, detail=detail)


def _letter(user: User, asked: Asked) -> _Letter | None:
    """A link, where a password is what they sign in by; else what they sign in by, and no link that opens nothing.

    None for whoever was disabled, or has given another address, meanwhile.
    """
    by_password = user.password_hash and password_sign_in.may(user) and not directory_people.is_theirs(user)
    with transaction() as session:
        still = session.get(User, user.id, with_for_update=True)
        if still is None or still.disabled or not addresses.is_the_confirmed(still, user.email):
            return None
        audit_service.record(session, user, "password.letter", user.id, {"username": user.username}, asked.address)
        if by_password:
            link = password_links.issue_beside(session, user.id, LIFETIME)
            return _Letter("link", link=f"{asked.site_url}/reset#{link.token}")
    ways = [each.provider.name for each in identity_links.listed(user) if not each.provider.disabled]
    return _Letter("elsewhere", ways=", ".join(ways)) if ways else _Letter("nowhere")
