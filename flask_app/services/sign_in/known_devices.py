"""Which browsers somebody has signed in from, so that they are told of one that is new.

It opens nothing: a browser that is known only spares its person a notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.orm import Session, aliased

from flask_app.database import reading, table_of, transaction, utc_now
from flask_app.errors import NotFound
from flask_app.models import KnownDevice, LoginSession, User
from flask_app.services.audit import audit_service
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import login_limits

MOST = 50  # of one person: one more, and another is new again
FORGOTTEN_AFTER = timedelta(days=400)  # as long as browsers keep a cookie
MOST_MAILS, WITHIN = 5, timedelta(days=1)  # to one person: what comes on top of them is told on the pages alone

_Id = str | BindParameter[str]
_devices = table_of(KnownDevice)
_ADD = {
    "sqlite": sqlite.insert(_devices).on_conflict_do_nothing(),
    "mysql": mysql.insert(_devices).prefix_with("IGNORE"),
    "mariadb": mysql.insert(_devices).prefix_with("IGNORE"),
}


@dataclass(frozen=True, slots=True)
class Came:
    """`cookie` is what the browser keeps from now on."""

    id: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Told:
    """`devices` are new, the newest first; `may_confirm`: the session that is told of them may say that it was them."""

    devices: Sequence[KnownDevice]
    may_confirm: bool


def come(session: Session, user: User, address: str, user_agent: str, cookie: str, replaces: str | None) -> Came:
    """Note that the person signs in there, within the caller's transaction, before the session `replaces` ends.

    Nobody is told of an account's first sign-in. What comes in the place of a session is as new as that one's browser.
    """
    now, kept = utc_now(), login_limits.device_with(cookie, user.id)
    came = Came(digest(f"device:{user.id}:{login_limits.device_parts(kept)[0]}"), kept)
    of_person = KnownDevice.user_id == user.id
    session.execute(delete(KnownDevice).where(of_person, KnownDevice.signed_in_at < now - FORGOTTEN_AFTER))
    seen = update(KnownDevice).where(KnownDevice.id == came.id).values(signed_in_at=now)
    if session.execute(seen).rowcount:  # type: ignore[attr-defined]
        return came
    replaced = _replaced(session, user.id, replaces, now)
    standing = replaced or _first(session, user, cookie, now)
    if standing["email"] and not _may_mail(session, user.id, now):
        standing["email"] = None
    row = {"id": came.id, "user_id": user.id, "user_agent": user_agent[:255], "address": address[:64]}
    connection = session.connection()
    added = connection.execute(_ADD[connection.dialect.name], row | standing | {"signed_in_at": now})
    if standing["is_new"] and not replaced and added.rowcount:
        details = {"username": user.username, "browser": user_agent[:255]}
        audit_service.record(session, user, "sign_in.new_device", user.id, details, address)
    _forget_beyond_most(session, came, user.id, now)
    return came


def listed(actor: User) -> Sequence[KnownDevice]:
    """All that are known of a person, the newest first."""
    own = select(KnownDevice).where(KnownDevice.user_id == actor.id)
    with reading() as session:
        return session.scalars(own.order_by(KnownDevice.created_at.desc(), KnownDevice.id)).all()


def new_to(actor: User, here: str) -> Told:
    """The browsers of a person's that the session `here` is to be told of, by one question.

    A browser that is new itself is told neither of itself nor of those that were there before it, and confirms none:
    who came in by a stolen password does not wave themselves through, by a second browser either.
    """
    with reading() as session:
        rows = session.execute(_TOLD_AND_TRUSTED, {"user_id": actor.id, "here": here}).all()
        return Told([row[0] for row in rows], may_confirm=bool(rows and rows[0][1]))


def confirm(actor: User, here: str, device_id: str) -> None:
    """It was them, there and in those that were new before it; raises NotFound where `here` may not say so."""
    with transaction() as session:
        told = [*_told(actor.id, here), _is_trusted(here)]
        until = session.scalar(select(KnownDevice.created_at).where(KnownDevice.id == device_id, *told))
        if until is None:
            raise NotFound
        ids = session.scalars(select(KnownDevice.id).where(KnownDevice.created_at <= until, *told)).all()
        session.execute(update(KnownDevice).where(KnownDevice.id.in_(ids)).values(is_new=False))


def disown(session: Session, actor: User, here: str, *, of_session: str | None = None) -> None:
    """What is new and is signed out by the session `here` is unknown again, within the caller's transaction.

    With `of_session` it is the browser of that one, unless it has another.
    """
    new = select(KnownDevice.id).where(*_told(actor.id, here))
    if of_session is not None:
        there, other = aliased(LoginSession), aliased(LoginSession)
        is_open_still = exists().where(other.device_id == KnownDevice.id, other.id != of_session)
        new = new.join(there, there.device_id == KnownDevice.id).where(there.id == of_session, ~is_open_still)
    session.execute(delete(KnownDevice).where(KnownDevice.id.in_(session.scalars(new).all())))


def _replaced(session: Session, user_id: str, replaces: str | None, now: datetime) -> dict[str, Any] | None:
    """What is kept of the browser of that session; None where it is none of theirs, or its browser was forgotten."""
    device = (LoginSession.device_id, KnownDevice.is_new, KnownDevice.created_at, KnownDevice.email)
    theirs = (LoginSession.id == replaces, LoginSession.user_id == user_id, LoginSession.expires_at > now)
    with_device = select(*device).outerjoin(KnownDevice, KnownDevice.id == LoginSession.device_id)
    row = session.execute(with_device.where(*theirs)).one_or_none()
    if row is None:
        return None
    if row.device_id is None:  # from before there were such rows
        return {"is_new": False, "created_at": now, "email": None}
    if row.created_at is None:
        return None
    return {"is_new": row.is_new, "created_at": row.created_at, "email": row.email if row.is_new else None}


def _first(session: Session, user: User, cookie: str, now: datetime) -> dict[str, Any]:
    is_new = not _is_expected(session, user, cookie)
    return {"is_new": is_new, "created_at": now, "email": user.email if is_new else None}


def _is_expected(session: Session, user: User, cookie: str) -> bool:
    if user.last_sign_in_at is None:
        return True
    # From before there were such rows.
    is_first = not session.scalar(select(exists().where(KnownDevice.user_id == user.id)))
    return is_first and login_limits.is_known_device(cookie, user.id)


def _may_mail(session: Session, user_id: str, now: datetime) -> bool:
    mailed = select(func.count()).where(KnownDevice.user_id == user_id, _is_mailed(now))
    return (session.scalar(mailed) or 0) < MOST_MAILS


def _is_mailed(now: datetime) -> ColumnElement[bool]:
    return and_(KnownDevice.email.is_not(None), KnownDevice.created_at > now - WITHIN)


def _forget_beyond_most(session: Session, came: Came, user_id: str, now: datetime) -> None:
    """A flood of new ones drives out neither the person's own nor those that count as mailed."""
    kept_first = (KnownDevice.id != came.id, ~_is_mailed(now), KnownDevice.is_new, KnownDevice.signed_in_at.desc())
    of_person = select(KnownDevice.id).where(KnownDevice.user_id == user_id).order_by(*kept_first, KnownDevice.id)
    if beyond := session.scalars(of_person.offset(MOST)).all():
        session.execute(delete(KnownDevice).where(KnownDevice.id.in_(beyond)))


def _told(user_id: _Id, here: _Id) -> list[ColumnElement[bool]]:
    """All where `here` is trusted; where its own browser is new those that came after it."""
    mine, own = aliased(LoginSession), aliased(KnownDevice)
    with_own = select(mine.id).outerjoin(own, own.id == mine.device_id).where(mine.id == here)
    sees = with_own.where(or_(*_trusted(mine, own), own.created_at < KnownDevice.created_at))
    return [KnownDevice.user_id == user_id, KnownDevice.is_new.is_(True), sees.correlate(KnownDevice).exists()]


def _is_trusted(here: _Id) -> ColumnElement[bool]:
    mine, own = aliased(LoginSession), aliased(KnownDevice)
    with_own = select(mine.id).outerjoin(own, own.id == mine.device_id)
    return with_own.where(mine.id == here, or_(*_trusted(mine, own))).exists()


def _trusted(mine: type[LoginSession], own: type[KnownDevice]) -> tuple[ColumnElement[bool], ...]:
    """A session from before there were such rows, or of a browser that is not new; of one that was forgotten, no."""
    return mine.device_id.is_(None), own.is_new.is_(False)


_HERE = bindparam("here", type_=LoginSession.id.type)
_TOLD_AND_TRUSTED = (  # made once, for it is asked on every page
    select(KnownDevice, _is_trusted(_HERE))
    .where(*_told(bindparam("user_id", type_=KnownDevice.user_id.type), _HERE))
    .order_by(KnownDevice.created_at.desc(), KnownDevice.id)
)
