"""Everybody's links, as administrators list and end them: whose, how long, for whom, how often opened.

Nothing of what they show is told, nor its title: titles are first words.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, utc_now
from flask_app.errors import NotFound
from flask_app.models import Share, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.queries import paging
from flask_app.services.sharing import sharing_policy


@dataclass(frozen=True, slots=True)
class Listed:
    id: str
    user_id: str
    username: str
    audience: str
    opened: int
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    shares: list[Listed]
    next: str | None


_LISTED = (Share.id, Share.user_id, User.username, Share.audience, Share.opened, Share.created_at, Share.expires_at)


def listed(*, before: str | None = None, limit: int = paging.PAGE) -> Page:
    """Those that have not ended, the newest first; raises BadRequest for a bad limit or cursor."""
    paging.checked_limit(limit)
    query = select(*_LISTED).join(User, User.id == Share.user_id).where(Share.is_open(utc_now()))
    if before is not None:
        query = query.where(Share.id < paging.checked_id(before))
    with reading() as session:
        mode = sharing_policy.mode_of(session.connection())
        found = [
            _listed(Listed(*row), mode) for row in session.execute(query.order_by(Share.id.desc()).limit(limit + 1))
        ]
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def _listed(stored: Listed, mode: str) -> Listed:
    return replace(stored, audience=sharing_policy.shown_audience(stored.audience, mode))


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
