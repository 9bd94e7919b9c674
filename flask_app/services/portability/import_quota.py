"""How much a person brings in on a day of the site: it lies in the database for as long as its person keeps it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.errors import Forbidden, SignInRequired, TooMany
from flask_app.models import ImportedDaily, User
from flask_app.services.budgets import budget_service

MEGABYTE = 1_000_000
MOST_BYTES = 200 * MEGABYTE  # of text, on a day
MOST_MESSAGES = 200_000

_days, _users = table_of(ImportedDaily), table_of(User)


def require_active(connection: Connection, user_id: str) -> None:
    """Raises SignInRequired once the person is gone, Forbidden("account_disabled") once they may do nothing more."""
    is_disabled = connection.scalar(select(_users.c.disabled).where(_users.c.id == user_id))
    if is_disabled is None:
        raise SignInRequired
    if is_disabled:
        raise Forbidden("account_disabled")


class More(NamedTuple):
    """What comes with messages: each of the `files` that they name, and of calls of tools, counts as one; `text_bytes`
    are of web pages, and of calls."""

    files: int = 0
    text_bytes: int = 0


def count(connection: Connection, user_id: str, rows: Sequence[Mapping[str, Any]], more: More, now: datetime) -> None:
    """These messages come in too, within the transaction that writes them, which holds the person's turn.

    Raises TooMany("import_too_much_today"). It says no moment to wait for: programs would, for hours.
    """
    own, day = _days.c.user_id == user_id, budget_service.site_day(now)
    before = connection.execute(select(_days).where(own)).one_or_none()
    has_today = before is not None and before.day == day
    counted = {
        "text_bytes": sum(len(row["text"].encode()) + len(row["reasoning"].encode()) for row in rows) + more.text_bytes,
        "messages": len(rows) + more.files,
    }
    if before is not None and has_today:
        counted = {
            "text_bytes": counted["text_bytes"] + before.text_bytes,
            "messages": counted["messages"] + before.messages,
        }
    if counted["text_bytes"] > MOST_BYTES or counted["messages"] > MOST_MESSAGES:
        raise TooMany("import_too_much_today", megabytes=MOST_BYTES // MEGABYTE, messages=MOST_MESSAGES)
    if before is None:
        connection.execute(insert(_days), {"user_id": user_id, "day": day, **counted})
    else:
        connection.execute(update(_days).where(own).values(day=day, **counted))
