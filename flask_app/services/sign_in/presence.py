"""Who is here now: whoever was seen in the last five minutes, in a session that is still open."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from flask_app.database import utc_now
from flask_app.models import LoginSession

ONLINE_WITHIN = timedelta(minutes=5)


def among(session: Session, user_ids: Iterable[str]) -> set[str]:
    """Those of these people who are here."""
    return set(session.scalars(_seen(LoginSession.user_id).where(LoginSession.user_id.in_(user_ids)).distinct()))


def count(session: Session) -> int:
    """How many people are here."""
    return session.scalar(_seen(func.count(LoginSession.user_id.distinct()))) or 0


def _seen(column: Any) -> Select[Any]:
    now = utc_now()
    return select(column).where(LoginSession.last_seen_at > now - ONLINE_WITHIN, LoginSession.expires_at > now)
