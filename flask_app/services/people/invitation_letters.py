"""Letters that carry an invitation to its person: written down with it, sent one by one by whichever process is first.

A letter keeps address and code (sealed) while it waits, and neither once it has gone, was given up, or its invitation
has ended. Like notices it is sent under a lease, so that one process of all does; one that dies between the mail
server's word and its own note sends it once more, under the same Message-ID.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, and_, bindparam, exists, func, insert, not_, select, update
from sqlalchemy.orm import Session

from flask_app import i18n
from flask_app.column_types import ByServer, UtcDateTime
from flask_app.database import fetching, in_writing, table_of, utc_now
from flask_app.domain import warning
from flask_app.errors import DeliveryError, Invalid, TooMany
from flask_app.models import DEFAULT_GROUP_ID, Group, Invitation, InvitationLetter, User
from flask_app.services.people.inviters import UPHELD
from flask_app.services.providers import key_service
from flask_app.services.runs import closing
from flask_app.services.secrets import sealing
from flask_app.services.secrets.sealing import Unreadable
from flask_app.services.site import site_service
from flask_app.services.warnings import mail_service, wording
from flask_app.services.warnings.notice_service import GIVE_UP, LEASE_SECONDS

AT_ONCE = 20  # in one round of a process, about a minute
ROUND_SECONDS = 60  # after which no further one is begun: other work waits for the round
MOST_A_DAY = 1_000  # of the whole site, written within 24 hours: whoever takes over a session sends no more
WAITING, SENT, FAILED, DROPPED = "waiting", "sent", "failed", "dropped"

_letters, _invitations, _users = table_of(InvitationLetter), table_of(Invitation), table_of(User)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sending:
    """Where the links lead, None where the settings name no address for them, and in which language letters are."""

    site_url: str | None
    locale: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    invitation_id: str
    email: str
    code: str


def hindrance(site_url: str | None) -> str | None:
    """Why this site sends no invitations, the code of an error; None where it does."""
    if not mail_service.is_set_up():
        return "mail_not_set_up"
    return None if site_url else "letters_without_address"


def check(sending: Sending) -> str:
    """Where the links lead. Raises Invalid("mail_not_set_up"), ("letters_without_address")."""
    if (code := hindrance(sending.site_url)) or sending.site_url is None:
        raise Invalid(code)
    return sending.site_url


def require_room(session: Session, count: int) -> None:
    """Raises TooMany("too_many_letters"). Whoever writes letters comes one after the other, before any other lock."""
    session.get(Group, DEFAULT_GROUP_ID, with_for_update=True)
    now = utc_now()
    lately = InvitationLetter.created_at > now - timedelta(days=1)
    left = MOST_A_DAY - (session.scalar(select(func.count()).where(lately)) or 0)
    if count > left:
        first = select(InvitationLetter.created_at).where(lately).order_by(InvitationLetter.created_at)
        freed = session.scalars(first.offset(count - left - 1).limit(1)).one() + timedelta(days=1)
        wait = math.ceil((freed - now).total_seconds())
        raise TooMany("too_many_letters", retry_after=wait, limit=MOST_A_DAY, left=left, count=count)


def write(session: Session, sending: Sending, letters: Sequence[Outgoing]) -> None:
    """Within the caller's transaction, which made the invitations: they go in the next rounds.

    Raises what `check` raises.
    """
    site_url, now = check(sending), utc_now()
    rows = [
        {
            "invitation_id": letter.invitation_id,
            "email": letter.email,
            "code": sealing.seal(letter.code, letter.invitation_id),
            "site_url": site_url,
            "locale": sending.locale,
            "created_at": now,
        }
        for letter in letters
    ]
    if rows:
        session.connection().execute(_WRITE, rows)


def drop(session: Session, invitation_id: str) -> None:
    """Its invitation was revoked: a letter that waits never goes."""
    session.connection().execute(_DROP.where(_letters.c.invitation_id == invitation_id))


def send_due() -> None:
    """One round. Where the mail server itself fails, or is slow, the rest waits for the next."""
    _drop_over()
    until = time.monotonic() + ROUND_SECONDS
    for _ in range(AT_ONCE):
        claimed = None if closing.is_leaving() or time.monotonic() > until else _claim()
        if claimed is None or not _deliver(claimed):
            break


def _drop_over() -> None:
    """Whoever's invitation has ended, however it did, is forgotten."""
    now = {"now": utc_now()}
    with fetching() as connection:
        is_there = connection.scalar(_OVER, now)
    if is_there:
        in_writing(lambda connection: connection.execute(_DROP.where(not_(_is_open)), now))


def _claim() -> Row[Any] | None:
    """The one that has waited longest, leased to the caller; None when nothing is due."""
    while True:
        with fetching() as connection:
            found = connection.scalar(_DUE, {"now": utc_now()})
        if found is None:
            return None
        claimed = in_writing(lambda connection, found=found: _leased(connection, found))  # type: ignore[misc]
        if claimed is not None:
            return claimed


def _leased(connection: Connection, invitation_id: str) -> Row[Any] | None:
    """None when somebody else was quicker, or the invitation has just ended."""
    if not connection.execute(_LEASE, {"letter": invitation_id, "now": utc_now()}).rowcount:
        return None
    return connection.execute(_LEASED, {"letter": invitation_id}).one()


def _deliver(claimed: Row[Any]) -> bool:
    """Send it and note what came of it; False where the mail server may be out of order."""
    try:
        _send(claimed)
    except DeliveryError as error:
        detail = _without_addresses(error.detail or "")
        log.warning("invitation_not_sent", invitation=claimed.invitation_id, code=error.code, detail=detail)
        _note_failed(claimed, error.code, lasting=error.lasting)
        return error.lasting or error.code == "mail_recipient_refused"
    except Unreadable as error:  # another process has the key that sealed it, while it is replaced
        log.warning("invitation_not_sent", invitation=claimed.invitation_id, code=error.code)
        _note_failed(claimed, "letter_unreadable")
        return False
    except Invalid as error:  # an address of older rules
        log.warning("invitation_not_sent", invitation=claimed.invitation_id, code=error.code)
        _note_failed(claimed, error.code, lasting=True)
    else:
        in_writing(lambda connection: connection.execute(_NOTE_SENT, _as_leased(claimed)))
    return True


def _without_addresses(detail: str) -> str:
    """Mail servers repeat whom they refuse."""
    return " ".join("…" if "@" in word else word for word in detail.split())


def _send(claimed: Row[Any]) -> None:
    code, locale = sealing.unseal(claimed.code, claimed.invitation_id), i18n.chosen(claimed.locale)
    words = {
        "brand": site_service.brand(locale),
        "by": claimed.by,
        "link": f"{claimed.site_url}/join#{code}",
        "page": f"{claimed.site_url}/join",
        "code": code,
        "until": wording.moment(claimed.expires_at, None, locale),
        "days": (claimed.expires_at - claimed.invited_at).days,
    }
    head = i18n.translate(locale, "invitation.letter_by" if claimed.by else "invitation.letter_head", **words)
    text = i18n.translate(locale, "invitation.letter_text", **words)
    subject = i18n.translate(locale, "invitation.letter_subject", **words)
    mail_service.send(claimed.email, subject, f"{head}\n\n{text}\n", locale=locale, message_id=claimed.invitation_id)


def _note_failed(claimed: Row[Any], code: str, *, lasting: bool = False) -> None:
    """It is tried again after a pause, longer each time, for as long as a notice is."""
    terms = {**_as_leased(claimed), "error": code}
    if lasting or utc_now() - claimed.created_at > GIVE_UP:
        in_writing(lambda connection: connection.execute(_GIVE_UP, terms))
        return
    pause = warning.pause_after(claimed.tries, key_service.draw)
    in_writing(lambda connection: connection.execute(_PUT_OFF.values(due_at=ByServer(pause)), terms))


def _as_leased(claimed: Row[Any]) -> dict[str, Any]:
    """Whoever lost the lease changes nothing."""
    return {"letter": claimed.invitation_id, "lease": claimed.tries}


_FORGOTTEN: dict[str, None] = {"email": None, "code": None}
_WRITE = insert(_letters).values(
    {
        **{
            name: bindparam(name, type_=_letters.c[name].type)
            for name in ("invitation_id", "email", "code", "site_url", "locale", "created_at")
        },
        "state": WAITING,
        "tries": 0,
        "due_at": ByServer(0),
    }
)
_waits = _letters.c.state == WAITING
_is_open = exists().where(
    _invitations.c.id == _letters.c.invitation_id,
    UPHELD,
    _invitations.c.revoked_at.is_(None),
    _invitations.c.group_id.is_not(None),
    _invitations.c.used < _invitations.c.most,
    _invitations.c.expires_at > bindparam("now", type_=UtcDateTime()),
)
_OVER = select(_letters.c.invitation_id).where(_waits, not_(_is_open)).limit(1)
_DROP = update(_letters).where(_waits).values(state=DROPPED, **_FORGOTTEN)
_is_due = and_(_waits, _letters.c.due_at <= ByServer(0), _is_open)
_DUE = select(_letters.c.invitation_id).where(_is_due).order_by(_letters.c.due_at, _letters.c.invitation_id).limit(1)
_itself = _letters.c.invitation_id == bindparam("letter")
_LEASE = update(_letters).where(_itself, _is_due).values(due_at=ByServer(LEASE_SECONDS), tries=_letters.c.tries + 1)
_LEASED = (
    select(
        _letters,
        _invitations.c.expires_at,
        _invitations.c.created_at.label("invited_at"),
        _users.c.username.label("by"),
    )
    .join(_invitations, _invitations.c.id == _letters.c.invitation_id)
    .outerjoin(_users, _users.c.id == _invitations.c.user_id)
    .where(_itself)
)
_leased_here = and_(_itself, _letters.c.tries == bindparam("lease"))
_PUT_OFF = update(_letters).where(_leased_here, _waits).values(error_code=bindparam("error"))
_GIVE_UP = (
    update(_letters).where(_leased_here, _waits).values(state=FAILED, error_code=bindparam("error"), **_FORGOTTEN)
)
# Also where its invitation ended while the mail server took it.
_NOTE_SENT = update(_letters).where(_leased_here).values(state=SENT, error_code=None, **_FORGOTTEN)
