"""Identities of accounts that were deleted: until the periods of budgets are over they make no new account.

Who came back at once would have spent nothing yet. What is kept is a digest of issuer and subject: no name, and no id
of the account that it opened.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flask_app.database import reading, transaction, utc_now
from flask_app.domain import budget
from flask_app.errors import ComesTooSoon
from flask_app.models import LeftIdentity, LinkedIdentity
from flask_app.services.budgets import budget_service


def remember(session: Session, user_id: str) -> None:
    """Within the transaction that ends the account."""
    until = _until(utc_now())
    for identity in session.scalars(select(LinkedIdentity.identity).where(LinkedIdentity.user_id == user_id)):
        session.merge(LeftIdentity(identity=identity, until=until))


def check(session: Session, identity: str) -> None:
    """Raises ComesTooSoon, with the moment from which a new account is made."""
    until = session.scalar(select(LeftIdentity.until).where(LeftIdentity.identity == identity))
    if until is not None and until > utc_now():
        raise ComesTooSoon(again_at=until)


def prune() -> None:
    """Forget those whose time is over."""
    over = LeftIdentity.until <= utc_now()
    with reading() as session:
        there_is = session.scalar(select(LeftIdentity.identity).where(over).limit(1))
    if there_is:
        with transaction() as session:
            session.execute(delete(LeftIdentity).where(over))


def _until(now: datetime) -> datetime:
    """When the longest period that renews, and that is going on, is over: a month, or the week that outlasts it."""
    day = budget_service.site_day(now)
    last = max(budget.days_of(period, day).last for period in budget.RENEWING)
    return budget_service.begins(last + timedelta(days=1))
