"""How many links a person has at once, how much room they take, and how many are made on a day, ended ones counted."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_app.errors import Conflict, TooMany
from flask_app.models import Share, SharedDaily
from flask_app.services.budgets import budget_service

MEGABYTE = 1_000_000
MOST = 100  # of a person at once
MOST_BYTES = 50 * MEGABYTE  # of their snapshots
MOST_A_DAY = 50  # of the site


def count(session: Session, user_id: str, content_bytes: int, now: datetime) -> None:
    """One more, within the transaction that makes it, which holds the person's row.

    Raises Conflict("too_many_shares"), Conflict("shares_too_long") and TooMany("too_many_shares_today").
    """
    own = (Share.user_id == user_id, Share.is_open(now))
    links, taken = session.execute(select(func.count(), func.sum(Share.content_bytes)).where(*own)).one()
    if links >= MOST:
        raise Conflict("too_many_shares", limit=MOST)
    if (taken or 0) + content_bytes > MOST_BYTES:
        raise Conflict("shares_too_long", limit=MOST_BYTES // MEGABYTE)
    day, counted = budget_service.site_day(now), session.get(SharedDaily, user_id)
    made = 1 if counted is None or counted.day != day else counted.made + 1
    if made > MOST_A_DAY:
        raise TooMany("too_many_shares_today", limit=MOST_A_DAY)
    session.merge(SharedDaily(user_id=user_id, day=day, made=made))
