"""What whoever has a link reads by it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, Select, bindparam, false, or_, select, update

from flask_app.database import fetching, in_company, table_of, utc_now
from flask_app.errors import NotFound, SignInRequired
from flask_app.models import Group, Share, User
from flask_app.services.secrets.signing import digest
from flask_app.services.sharing import sharing_policy, snapshot
from flask_app.services.sharing.snapshot import Said

_shares, _users, _groups = table_of(Share), table_of(User), table_of(Group)


def _opening(*columns: Column[Any]) -> Select[Any]:
    """Of the link with a digest, unless its time is over or its person is no more."""
    return (
        select(*columns, _shares.c.audience, _groups.c.sharing)
        .join_from(_shares, _users, _users.c.id == _shares.c.user_id)
        .join(_groups, _groups.c.id == _users.c.group_id)
        .where(
            _shares.c.digest == bindparam("digest"),
            or_(_shares.c.expires_at.is_(None), _shares.c.expires_at > bindparam("now")),
            _users.c.disabled == false(),
            _users.c.deleted_at.is_(None),
        )
    )


_READ = _opening(_shares.c.title, _shares.c.shown_name, _shares.c.content, _shares.c.created_at, _shares.c.expires_at)
_SEEN = _opening(_shares.c.id, _shares.c.user_id)
_COUNT = update(_shares).where(_shares.c.id == bindparam("share")).values(opened=_shares.c.opened + 1)


@dataclass(frozen=True, slots=True)
class Shared:
    """`by` is who shares, where they wanted to be named."""

    title: str
    by: str | None
    said: list[Said]
    taken_at: datetime
    expires_at: datetime | None


def find(token: str, reader: User | None) -> Shared:
    """The snapshot that a link shows.

    Raises NotFound for one that is ended, expired, unknown, or closed by the site, its group or its person's standing;
    SignInRequired where only who is signed in may open it: of any link, whatever the token, or of this one.
    """
    row = _found(_READ, token, reader)
    return Shared(row.title, row.shown_name, snapshot.read(row.content), row.created_at, row.expires_at)


def note_opened(token: str, reader: User | None) -> None:
    """Count that it is read: no more than how often is kept. Its own person's looks do not count. Raises as `find`."""
    row = _found(_SEEN, token, reader)
    if reader is None or reader.id != row.user_id:
        in_company(lambda connection: connection.execute(_COUNT, {"share": row.id}))


def _found(query: Select[Any], token: str, reader: User | None) -> Row[Any]:
    with fetching() as connection:
        mode = sharing_policy.mode_of(connection)
        if mode == sharing_policy.OFF:
            raise NotFound
        if mode == sharing_policy.PEOPLE and reader is None:
            raise SignInRequired
        row = connection.execute(query, {"digest": digest(token), "now": utc_now()}).one_or_none()
    if row is None or not row.sharing:
        raise NotFound
    if reader is None and sharing_policy.narrower(row.audience, mode) == sharing_policy.PEOPLE:
        raise SignInRequired
    return row
