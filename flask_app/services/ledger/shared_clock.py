"""What instances tell each other about moments goes by the database's clock: one of theirs may be minutes off.

It is told by the monotonic clock between two looks at it, so that no jump of this process's own clock moves it.
"""

import time
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection

from flask_app.column_types import ByServer
from flask_app.database import utc_now

_NOW = select(ByServer(0))
_BEGAN = utc_now() - timedelta(seconds=time.monotonic())  # of the monotonic clock, by this process's own at its start
_SLACK = timedelta(seconds=1)

_ahead = timedelta()  # of the database's clock before that


def ask(connection: Connection) -> datetime:
    """What the database's clock says now, of which note is taken."""
    return learn(connection.execute(_NOW).scalar_one())


def learn(database_now: datetime) -> datetime:
    """Take note of what the database's clock says now. Parts of a second are the time that asking takes."""
    global _ahead
    off = database_now - shared()
    if abs(off) >= _SLACK:
        _ahead += timedelta(seconds=round(off.total_seconds()))
    return database_now


def shared(moment: datetime | None = None) -> datetime:
    """A moment of this process's clock that has passed, now if not told, as the shared clock has it."""
    now = _BEGAN + timedelta(seconds=time.monotonic()) + _ahead
    return now - max(utc_now() - moment, timedelta()) if moment else now
