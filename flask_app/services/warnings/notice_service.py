"""Notices: made once, claimed by whoever sends them, and what became of them. The database decides on all three."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, exists, func, not_, or_, select, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection

from flask_app.column_types import ByServer, UtcDateTime
from flask_app.database import fetching, in_writing, new_id, table_of, utc_now
from flask_app.domain import warning
from flask_app.domain.budget import PREPAID
from flask_app.domain.warning import Alert
from flask_app.errors import DeliveryError
from flask_app.models import Notice, Reconciliation, User
from flask_app.services.providers import key_service
from flask_app.services.queries import paging
from flask_app.services.warnings import account_alerts

EMAIL, WEBHOOK = "email", "webhook"  # the channels
TO = "to"  # the fact that says where a mail goes, if not to its person's address: forgotten once it has ended
AT_ONCE = 500  # subjects in one question
LEASE_SECONDS = 600  # longer than the slowest delivery takes
GIVE_UP = timedelta(hours=24)
KEPT = timedelta(days=100)  # longer than any period that renews, so that none of it is made again

_notices, _users, _days = table_of(Notice), table_of(User), table_of(Reconciliation)
_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    channel: str
    id: str = ""  # of the person, for e-mail


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as it is listed: `to` is the name of the person, None for the webhook and for who is gone."""

    notice: Row[Any]
    facts: dict[str, Any]
    to: str | None


@dataclass(frozen=True, slots=True)
class Page:
    notices: list[Told]
    next: str | None


def unknown(connection: Connection, wanted: Iterable[tuple[Alert, Recipient]]) -> list[tuple[Alert, Recipient]]:
    """Those that were not made yet. Who was told that all is gone is not told after it that nearly all is."""
    pairs = list(wanted)
    told: dict[_Key, int] = {}
    for subjects in _in_parts(sorted({alert.subject_id for alert, _ in pairs})):
        armed = sorted({alert.armed for alert, _ in pairs})
        for *names, share in connection.execute(_TOLD, {"subjects": subjects, "armings": armed}):
            told[tuple(names)] = share
    return [(alert, to) for alert, to in pairs if told.get(_key(alert, to), 0) < alert.share]


def make(connection: Connection, wanted: Iterable[tuple[Alert, Recipient]]) -> None:
    """Write them down; what is long over goes. One at a time: who looks for that waits for all others that write."""
    pairs = list(wanted)
    if pairs:
        add(connection, pairs)
        connection.execute(_FORGET, {"long_ago": utc_now() - KEPT})


def add(connection: Connection, wanted: Iterable[tuple[Alert, Recipient]]) -> None:
    """Write them down, at least one; what another process made meanwhile stays as it is."""
    rows = [
        {
            **dict(zip(_KEY, _key(alert, to), strict=True)),
            "id": new_id(),
            "share": alert.share,
            "facts": msgspec.json.encode(alert.facts).decode(),
            "created_at": utc_now(),
        }
        for alert, to in wanted
    ]
    connection.execute(_MAKE[connection.dialect.name], rows)


def claim(channel: str) -> Row[Any] | None:
    """The one that has waited longest, leased to the caller; None when nothing is due."""
    while True:
        with fetching() as connection:
            notice_id = connection.scalar(_DUE, {"over": channel})
        if notice_id is None:
            return None
        claimed = in_writing(lambda connection, notice_id=notice_id: _claim(connection, notice_id))  # type: ignore[misc]
        if claimed is not None:
            return claimed


def note_sent(claimed: Row[Any]) -> None:
    _end(claimed, "sent", None)


def note_dropped(claimed: Row[Any]) -> None:
    """There is nobody to tell any more."""
    _end(claimed, "dropped", None)


def note_failed(claimed: Row[Any], error: DeliveryError) -> None:
    """It is tried again after a pause, longer each time, for a day; then, or where that is of no use, it has failed."""
    if error.lasting or utc_now() - claimed.created_at > GIVE_UP:
        _end(claimed, "failed", error)
        return
    pause = warning.pause_after(claimed.tries, key_service.draw)
    terms = {**_of(claimed), "code": error.code, "detail": error.detail}
    in_writing(lambda connection: connection.execute(_PUT_OFF.values(due_at=ByServer(pause)), terms))


def listed(*, before: str | None = None, limit: int = paging.PAGE) -> Page:
    """The newest first; raises BadRequest for a bad limit or cursor."""
    paging.checked_limit(limit)
    query = _LISTED.limit(limit + 1)
    if before is not None:
        query = query.where(_notices.c.id < paging.checked_id(before))
    with fetching() as connection:
        rows = connection.execute(query).all()
    told = [Told(row, msgspec.json.decode(row.facts), row.username) for row in rows[:limit]]
    return Page(told, rows[limit - 1].id if len(rows) > limit else None)


def close_accounts(connection: Connection, low: Iterable[str]) -> None:
    """What was told of the accounts that are not `low` any more is over: it may be told again."""
    over = _is_open(_notices.c.subject_id.not_in(list(low)))
    connection.execute(update(_notices).where(over).values(armed=_notices.c.id))


def has_open_accounts(connection: Connection, low: Iterable[str]) -> bool:
    """Is there something for `close_accounts` to do?"""
    over = _is_open(_notices.c.subject_id.not_in(list(low)))
    return connection.scalar(select(_notices.c.id).where(over).limit(1)) is not None


def _is_open(among: ColumnElement[bool]) -> ColumnElement[bool]:
    """An account whose balance nobody knows goes to and fro: it is not warned of each time."""
    long_enough = _notices.c.created_at < utc_now() - account_alerts.AT_LEAST_OPEN
    return and_(_notices.c.kind == account_alerts.KIND, _notices.c.armed == account_alerts.OPEN, long_enough, among)


def _claim(connection: Connection, notice_id: str) -> Row[Any] | None:
    """None when somebody else was quicker."""
    if not connection.execute(_CLAIM, {"notice": notice_id}).rowcount:
        return None
    return connection.execute(_CLAIMED, {"notice": notice_id}).one()


def _end(claimed: Row[Any], state: str, error: DeliveryError | None) -> None:
    code, detail = (error.code, error.detail) if error else (None, None)
    left = {name: fact for name, fact in msgspec.json.decode(claimed.facts).items() if name != TO}
    facts = msgspec.json.encode(left).decode()
    terms = {**_of(claimed), "new_state": state, "now": utc_now(), "left": facts, "code": code, "detail": detail}
    in_writing(lambda connection: connection.execute(_END, terms))


def _of(claimed: Row[Any]) -> dict[str, Any]:
    """As it was claimed: whoever lost the lease changes nothing."""
    return {"notice": claimed.id, "claim": claimed.tries}


def _key(alert: Alert, to: Recipient) -> _Key:
    return alert.subject_id, alert.kind, alert.person_id, alert.armed, to.channel, to.id


def _in_parts(subjects: Sequence[str]) -> Iterator[Sequence[str]]:
    return (subjects[start : start + AT_ONCE] for start in range(0, len(subjects), AT_ONCE))


def _making() -> dict[str, Any]:
    """The statement by dialect: what is there already stays."""
    names = (*_KEY, "id", "share", "facts", "created_at")
    values: dict[str, Any] = {name: bindparam(name, type_=_notices.c[name].type) for name in names}
    values |= {"state": "waiting", "tries": 0, "due_at": ByServer(0)}
    on_sqlite = sqlite.insert(_notices).values(values).on_conflict_do_nothing()
    on_mysql = mysql.insert(_notices).values(values).on_duplicate_key_update(id=_notices.c.id)
    return {"sqlite": on_sqlite, "mysql": on_mysql, "mariadb": on_mysql}


_KEY = ("subject_id", "kind", "person_id", "armed", "channel", "recipient_id")
_MAKE = _making()
_TOLD = (
    select(*(_notices.c[name] for name in _KEY), func.max(_notices.c.share))
    .where(_notices.c.subject_id.in_(bindparam("subjects", expanding=True)))
    .where(_notices.c.armed.in_(bindparam("armings", expanding=True)))
    .group_by(*(_notices.c[name] for name in _KEY))
)
_standing = or_(
    _notices.c.armed == account_alerts.OPEN,
    _notices.c.armed.startswith(f"{PREPAID}:"),
    exists().where(_days.c.id == _notices.c.subject_id, _days.c.stands),
)
_FORGET = delete(_notices).where(
    _notices.c.created_at < bindparam("long_ago", type_=UtcDateTime()), _notices.c.state != "waiting", not_(_standing)
)
_is_due = and_(_notices.c.state == "waiting", _notices.c.due_at <= ByServer(0))
_itself = _notices.c.id == bindparam("notice")
_as_claimed = and_(_itself, _notices.c.state == "waiting", _notices.c.tries == bindparam("claim"))
_DUE = (
    select(_notices.c.id)
    .where(_is_due, _notices.c.channel == bindparam("over"))
    .order_by(_notices.c.due_at, _notices.c.id)
    .limit(1)
)
_CLAIM = update(_notices).where(_itself, _is_due).values(due_at=ByServer(LEASE_SECONDS), tries=_notices.c.tries + 1)
_CLAIMED = select(_notices).where(_itself)
_error: dict[str, Any] = {"error_code": bindparam("code"), "error_detail": bindparam("detail")}
_PUT_OFF = update(_notices).where(_as_claimed).values(_error)
_END = (
    update(_notices)
    .where(_as_claimed)
    .values(
        {
            "state": bindparam("new_state"),
            "ended_at": bindparam("now", type_=UtcDateTime()),
            "facts": bindparam("left"),
            **_error,
        }
    )
)
_LISTED = (
    select(_notices, _users.c.username)
    .outerjoin(_users, _users.c.id == _notices.c.recipient_id)
    .order_by(_notices.c.id.desc())
)
