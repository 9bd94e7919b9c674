"""Everybody's links, as administrators list and end them: whose, how long, how often opened; not their words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, utc_now
from flask_app.errors import NotFound
from flask_app.models import Share, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.queries import paging
from flask_app.services.sharing import share_service


@dataclass(frozen=True, slots=True)
class Listed:
    id: str
    user_id: str
    username: str
    title: str
    opened: int
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    shares: list[Listed]
    next: str | None


_LISTED = (Share.id, Share.user_id, User.username, Share.title, Share.opened, Share.created_at, Share.expires_at)


def listed(*, before: str | None = None, limit: int = paging.PAGE) -> Page:
    """Those that have not ended, the newest first; raises BadRequest for a bad limit or cursor."""
    paging.checked_limit(limit)
    query = select(*_LISTED).join(User, User.id == Share.user_id).where(share_service.is_open(utc_now()))
    if before is not None:
        query = query.where(Share.id < paging.checked_id(before))
    with reading() as session:
        found = [Listed(*row) for row in session.execute(query.order_by(Share.id.desc()).limit(limit + 1))]
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def everybodys() -> Iterator[Listed]:
    """The newest first, page by page."""
    page = listed(limit=paging.MAX_PAGE)
    yield from page.shares
    while page.next:
        page = listed(before=page.next, limit=paging.MAX_PAGE)
        yield from page.shares


def end(actor: Actor, share_id: str) -> None:
    """End anybody's link, at once and for good. Raises NotFound."""

    def work(session: Session) -> None:
        owner = session.scalar(select(User).join(Share, Share.user_id == User.id).where(Share.id == share_id))
        gone = session.execute(delete(Share).where(Share.id == share_id))
        if owner is None or not gone.rowcount:  # type: ignore[attr-defined]
            raise NotFound
        details = {"username": owner.username}
        audit_service.record(session, actor.user, "share.end", share_id, details, actor.address)

    in_transaction(work)
