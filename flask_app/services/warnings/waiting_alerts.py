"""Who waits to be let in: the administrators are told of everybody once, of several together.

Between two such notices there is an hour at least, whoever comes meanwhile: who asks for an account is a stranger.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain.warning import ALL, Alert
from flask_app.models import Notice, Registration
from flask_app.services.people.registration_admin_service import WAITING

KIND = "waiting"
SUBJECT = "registrations"
PAUSE = timedelta(hours=1)
MOST_NAMES = 10

_notices, _registrations = table_of(Notice), table_of(Registration)


def standing(connection: Connection, now: datetime) -> list[Alert]:
    """One alert at most, armed with the moment since when the latest of them waits.

    None where the latest has gone and who is left was told of. It stands where the latest was told of: who became an
    administrator since is told too.
    """
    waiting = connection.execute(_WAIT.where(_registrations.c.expires_at > now)).all()
    if not waiting:
        return []
    told_until, told_at = connection.execute(_TOLD).one()
    if told_at is not None and (told_at > now - PAUSE or _armed(waiting[0]) < told_until):
        return []
    return [
        Alert(
            kind=KIND,
            subject_id=SUBJECT,
            armed=_armed(waiting[0]),
            share=ALL,
            facts={"names": _names(waiting, told_until or ""), "waiting": len(waiting)},
        )
    ]


def _names(waiting: Sequence[Row[Any]], told_until: str) -> list[str]:
    """Those that nobody was told of, the latest first; all of them for an administrator who was not told before."""
    new = [row.username for row in waiting if _armed(row) > told_until]
    return (new or [row.username for row in waiting])[:MOST_NAMES]


def _armed(row: Row[Any]) -> str:
    since: datetime = row.confirmed_at or row.created_at
    return since.isoformat(timespec="microseconds")


_since = func.coalesce(_registrations.c.confirmed_at, _registrations.c.created_at)
_WAIT = (
    select(*(_registrations.c[name] for name in ("username", "confirmed_at", "created_at")))
    .where(*WAITING)
    .order_by(_since.desc(), _registrations.c.id.desc())
)
_TOLD = select(func.max(_notices.c.armed), func.max(_notices.c.created_at)).where(
    _notices.c.subject_id == SUBJECT, _notices.c.kind == KIND
)
