"""A person's own links: made, listed, ended. Each shows a snapshot; what is ended is gone, with its snapshot."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flask_app.column_types import ByServer
from flask_app.database import in_transaction, new_id, reading, utc_now
from flask_app.errors import Invalid, NotFound, SignInRequired
from flask_app.models import Conversation, Share, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.secrets import sealing
from flask_app.services.secrets.sealing import Unreadable
from flask_app.services.secrets.signing import digest
from flask_app.services.sharing import share_quota, sharing_policy, snapshot
from flask_app.services.sign_in import visits

DAYS = (1, 7, 30)
TOKEN_BYTES = 32
AT_ONCE = 200  # rows in a transaction

_SHOWN = (Share.id, Share.conversation_id, Share.token, Share.title, Share.shown_name, Share.thoughts)
_SHOWN_TOO = (Share.opened, Share.audience, Share.created_at, Share.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`leaf_id` is the last message of the branch, None the newest of all. `days` is one of DAYS, None until it is
    ended. `named`: it says who shares.
    """

    leaf_id: str | None = None
    days: int | None = 30
    thoughts: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A link, as its person sees it. `token` is None where it cannot be opened any more: ENCRYPTION_KEY is another.

    `audience` is whom it opens for now; while sharing is off, for whom it was made.
    """

    id: str
    conversation_id: str
    title: str
    token: str | None
    shown_name: str | None
    thoughts: bool
    opened: int
    audience: str
    created_at: datetime
    expires_at: datetime | None


def make(actor: Actor, session_id: str, conversation_id: str, wanted: Wanted) -> Own:
    """A new link of the person who is signed in there.

    Raises NotFound for somebody else's conversation, and as `sharing_policy.require`, `snapshot.taken` and
    `share_quota.count` do.
    """
    owner, token, share_id = _person(actor), secrets.token_urlsafe(TOKEN_BYTES), new_id()
    if wanted.days is not None and wanted.days not in DAYS:
        raise Invalid("bad_share_days", known=", ".join(map(str, DAYS)))
    sealed = sealing.seal(token, share_id)

    def work(session: Session) -> Share:
        session.execute(select(User.id).where(User.id == owner.id).with_for_update())
        visits.require_open(session, session_id)
        audience = sharing_policy.require(session, owner.id)
        # Held, so that it is not deleted meanwhile: the link would name what is not there.
        own = (Conversation.id == conversation_id, Conversation.user_id == owner.id)
        title = session.scalar(select(Conversation.title).where(*own).with_for_update(read=True))
        if title is None:
            raise NotFound
        now = utc_now()
        content = snapshot.taken(session, conversation_id, wanted.leaf_id, thoughts=wanted.thoughts)
        content_bytes = len(content.encode())
        share_quota.count(session, owner.id, content_bytes, now)
        made = Share(id=share_id, user_id=owner.id, conversation_id=conversation_id, digest=digest(token), token=sealed)
        made.title, made.content, made.opened, made.thoughts = title, content, 0, wanted.thoughts
        made.audience, made.content_bytes = audience, content_bytes
        made.shown_name = owner.username if wanted.named else None
        made.created_at, made.expires_at = now, now + timedelta(days=wanted.days) if wanted.days else None
        session.add(made)
        details = {"days": wanted.days, "thoughts": wanted.thoughts, "named": wanted.named}
        audit_service.record(session, owner, "share.make", share_id, details, actor.address)
        return made

    return _own(in_transaction(work), sharing_policy.mode())


def own(actor: User, conversation_id: str | None = None) -> list[Own]:
    """Those that have not ended, the newest first: all, or those of one conversation."""
    query = select(*_SHOWN, *_SHOWN_TOO).where(Share.user_id == actor.id, Share.is_open(utc_now()))
    if conversation_id is not None:
        query = query.where(Share.conversation_id == conversation_id)
    with reading() as session:
        mode = sharing_policy.mode_of(session.connection())
        return [_own(row, mode) for row in session.execute(query.order_by(Share.id.desc()))]


def end(actor: Actor, share_id: str) -> None:
    """From now on it opens nothing. Raises NotFound for somebody else's, and for one that is ended already."""
    owner = _person(actor)

    def work(session: Session) -> None:
        gone = session.execute(delete(Share).where(Share.id == share_id, Share.user_id == owner.id))
        if not gone.rowcount:  # type: ignore[attr-defined]
            raise NotFound
        audit_service.record(session, owner, "share.end", share_id, {}, actor.address)

    in_transaction(work)


def end_all(actor: Actor) -> None:
    """All of the person's own, at once."""
    owner = _person(actor)

    def work(session: Session) -> None:
        for share_id in session.scalars(select(Share.id).where(Share.user_id == owner.id).with_for_update()).all():
            session.execute(delete(Share).where(Share.id == share_id))
            audit_service.record(session, owner, "share.end", share_id, {}, actor.address)

    in_transaction(work)


def prune() -> None:
    """Remove those whose time is over, some at a time: by the clock that all instances share."""

    def work(session: Session) -> Sequence[str]:
        over = session.scalars(select(Share.id).where(Share.expires_at <= ByServer(0)).limit(AT_ONCE)).all()
        session.execute(delete(Share).where(Share.id.in_(over)))
        return over

    with reading() as session:
        if session.scalar(select(Share.id).where(Share.expires_at <= ByServer(0)).limit(1)) is None:
            return
    while in_transaction(work):
        pass


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise SignInRequired
    return actor.user


def _own(row: Any, mode: str) -> Own:
    """Of a `Share`, or of a row with what is shown of one."""
    return Own(
        id=row.id,
        conversation_id=row.conversation_id,
        title=row.title,
        token=_opened(row.id, row.token),
        shown_name=row.shown_name,
        thoughts=row.thoughts,
        opened=row.opened,
        audience=sharing_policy.shown_audience(row.audience, mode),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _opened(share_id: str, sealed: bytes) -> str | None:
    try:
        return sealing.unseal(sealed, share_id)
    except Unreadable:
        return None
