"""A request within a session: who is there, whether it goes on, and that they were seen."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict

from flask_app.database import fetching, table_of, transaction, utc_now
from flask_app.errors import SignInRequired
from flask_app.models import Group, GroupManager, LoginSession, Setting, User
from flask_app.services.secrets.signing import digest
from flask_app.services.site import rates
from flask_app.statements import Query

IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=60)
SEEN_EVERY = timedelta(minutes=1)

# The hot path: every request of a signed-in browser runs this one statement, on a bare connection.
_users, _sessions = table_of(User), table_of(LoginSession)
_groups, _settings, _managers = table_of(Group), table_of(Setting), table_of(GroupManager)
_VISIT_COLUMNS = ("id", "created_at", "last_seen_at", "expires_at")
_VISIT = Query(
    select(
        _users,
        *(_sessions.c[name].label(f"session_{name}") for name in _VISIT_COLUMNS),
        *(_groups.c[name].label(f"group_{name}") for name in ("rates", "access", "sharing", "models", "file_quota_mb")),
        _groups.c.supervised_since,
        select(_settings.c.value).where(_settings.c.name == rates.NAME).scalar_subquery().label("site_rates"),
        exists().where(_managers.c.user_id == _users.c.id).label("manages"),
    )
    .join(_sessions, _sessions.c.user_id == _users.c.id)
    .join(_groups, _groups.c.id == _users.c.group_id)
    .where(_sessions.c.id == bindparam("digest"))
)
_USER_COLUMNS = tuple(_users.columns.keys())
_IS_OPEN = (
    select(_sessions.c.expires_at)
    .join(_users, _users.c.id == _sessions.c.user_id)
    .where(_sessions.c.id == bindparam("digest"), _users.c.disabled.is_(False))
)
_OPEN = (
    select(_sessions.c.id)
    .join(_users, _users.c.id == _sessions.c.user_id)
    .where(_sessions.c.id.in_(bindparam("digests", expanding=True)), _users.c.disabled.is_(False))
    .where(_sessions.c.expires_at > bindparam("now"))
)
_FREE = (
    select(_sessions.c.id, _users.c.id)
    .join(_users, _users.c.id == _sessions.c.user_id)
    .where(_sessions.c.id == bindparam("digest"))
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True)
class Visit:
    """A request made within a session. `rates` are as stored, the group's and the site's, and so is `access`.

    `manages`: was the person named a manager of any group? `supervised_since`: can the managers of their own read?
    `may_share`: may their group share conversations, where the site allows it? `models` it may ask, as stored.
    `file_quota_mb` is how many megabytes of files each of them may keep.
    """

    user: User
    session_id: str
    created_at: datetime
    last_seen_at: datetime
    rates: tuple[str | None, ...] = ()
    manages: bool = False
    access: str = "{}"
    supervised_since: datetime | None = None
    may_share: bool = True
    models: str | None = None
    file_quota_mb: int = 0


def visit(token: str) -> Visit | None:
    """The session that this cookie opens, with its person; None when it has ended or the person is disabled."""
    with fetching() as connection:
        row = _VISIT.row(connection, {"digest": digest(token)})
    if row is None or row.disabled or row.session_expires_at <= utc_now():
        return None
    stored = (row.group_rates, row.site_rates)
    seen = (row.session_created_at, row.session_last_seen_at)
    return Visit(
        *(person_in(row), row.session_id, *seen, stored, bool(row.manages), row.group_access, row.supervised_since),
        may_share=bool(row.group_sharing),
        models=row.group_models,
        file_quota_mb=row.group_file_quota_mb,
    )


def person_in(row: Sequence[Any], columns: Sequence[str] = _USER_COLUMNS) -> User:
    """The person whose columns a row begins with, as if a session had loaded them: to add them inserts nothing."""
    user = User()
    instance_dict(user).update(zip(columns, row, strict=False))
    make_transient_to_detached(user)
    return user


def open_among(session_ids: Collection[str]) -> set[str]:
    """Those of the sessions with these ids (the stored digests) that go on."""
    with fetching() as connection:
        return set(connection.scalars(_OPEN, {"digests": list(session_ids), "now": utc_now()}))


def require_open(session: Session, session_id: str) -> None:
    """Raise SignInRequired where the session of a request has ended since it began: it gives no new one any more.

    Within the caller's transaction, which holds the person's row: what ends their sessions waits for it, or was first.
    """
    if session.scalar(_IS_OPEN, {"digest": session_id}) is None:
        raise SignInRequired


def see(visited: Visit, locale: str | None) -> None:
    """Note that the person is here, and sees `locale`, if any, at most once a minute; this puts off the idle time-out.

    Where somebody else holds their row, a dying server perhaps, the next request will: nobody waits for this.
    """
    now = utc_now()
    if now - visited.last_seen_at < SEEN_EVERY:
        return
    with transaction() as session:
        if session.execute(_FREE, {"digest": visited.session_id}).one_or_none() is None:
            return
        noted = session.execute(
            update(LoginSession)
            .where(LoginSession.id == visited.session_id, LoginSession.last_seen_at == visited.last_seen_at)
            .values(last_seen_at=now, expires_at=min(now + IDLE, visited.created_at + ABSOLUTE))
        )
        if noted.rowcount:  # type: ignore[attr-defined]  # another request of the same minute may have been first
            seen = {"last_seen_at": now} | ({"seen_locale": locale} if locale else {})
            session.execute(update(User).where(User.id == visited.user.id).values(seen))
