"""Who has signed in from a browser that they had not signed in from before, and has an address to be told at."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import table_of
from flask_app.domain import user_agent
from flask_app.domain.warning import ALL, Alert
from flask_app.models import KnownDevice, User

KIND = "device"
TOLD_WITHIN = timedelta(days=1)  # what was waited for longer, without a mail server, is told on the pages alone

_devices, _users = table_of(KnownDevice), table_of(User)


def standing(connection: Connection, now: datetime) -> list[Alert]:
    """One alert a browser that came as a new one; its person is told, whatever they chose of warnings.

    It tells of a sign-in: that somebody has said since that it was them takes nothing from it.
    """
    rows = connection.execute(_CAME.where(_devices.c.created_at > now - TOLD_WITHIN)).all()
    return [
        Alert(
            kind=KIND,
            subject_id=row.id,
            armed="new",
            share=ALL,
            facts={
                "name": row.username,
                "browser": user_agent.shown(row.user_agent),
                "address": row.address,
                "at": row.created_at.isoformat(),
            },
            owner_id=row.user_id,
        )
        for row in rows
    ]


def address(session: Session, device_id: str) -> str | None:
    """Where its person is told: who has come in may have changed the account's address since.

    None once it was signed out as foreign.
    """
    return session.scalar(select(KnownDevice.email).where(KnownDevice.id == device_id))


_CAME = (
    select(
        *(_devices.c[name] for name in ("id", "user_id", "user_agent", "address", "created_at")),
        _users.c.username,
    )
    .join(_users, _users.c.id == _devices.c.user_id)
    .where(_devices.c.email.is_not(None), _users.c.disabled.is_(False))
    .order_by(_devices.c.created_at, _devices.c.id)
)
