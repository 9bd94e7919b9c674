"""Everybody's personal access tokens, as administrators list and revoke them."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from flask_app.database import in_transaction, reading
from flask_app.models import AccessToken, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.queries import paging
from flask_app.services.runs import stop_service
from flask_app.services.tokens import token_service


@dataclass(frozen=True, slots=True)
class Listed:
    token: AccessToken
    username: str


@dataclass(frozen=True, slots=True)
class Page:
    tokens: list[Listed]
    next: str | None


def listed(*, before: str | None = None, limit: int = paging.PAGE) -> Page:
    """The newest first, revoked ones too; raises BadRequest for a bad limit or cursor."""
    paging.checked_limit(limit)
    query = select(AccessToken, User.username).join(User, User.id == AccessToken.user_id)
    if before is not None:
        query = query.where(AccessToken.id < paging.checked_id(before))
    with reading() as session:
        rows = session.execute(query.order_by(AccessToken.id.desc()).limit(limit + 1)).all()
    found = [Listed(token, username) for token, username in rows]
    return Page(found[:limit], found[limit - 1].token.id if len(found) > limit else None)


def everybodys() -> Iterator[Listed]:
    """The newest first, page by page."""
    page = listed(limit=paging.MAX_PAGE)
    yield from page.tokens
    while page.next:
        page = listed(before=page.next, limit=paging.MAX_PAGE)
        yield from page.tokens


def revoke(actor: Actor, token_id: str) -> None:
    """End anybody's token, and what is being answered to it. Raises NotFound."""
    in_transaction(lambda session: token_service.revoke(session, actor, token_id))
    stop_service.stop_token(token_id)
