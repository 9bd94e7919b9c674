"""What instances tell each other about moments goes by the database's clock: one of theirs may be minutes off."""

from datetime import datetime, timedelta

from flask_app.database import utc_now

_ahead = timedelta()  # of the database's clock before this process's own


def learn(database_now: datetime) -> datetime:
    """Take note of what the database's clock says now. Parts of a second are the time that asking takes."""
    global _ahead
    _ahead = timedelta(seconds=round((database_now - utc_now()).total_seconds()))
    return database_now


def shared(moment: datetime | None = None) -> datetime:
    """A moment of this process's clock, now if not told, as the shared clock has it."""
    return (moment or utc_now()) + _ahead
