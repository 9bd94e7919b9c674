"""Identities and addresses of accounts that were deleted: until the periods of budgets are over they make no new one.

Who came back at once would have spent nothing yet. What is kept is a digest, of issuer and subject or of the address
that let its person in: no name, and no id of the account that it opened.
"""

import hmac
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.column_types import ByServer
from flask_app.database import reading, transaction, utc_now
from flask_app.domain import budget
from flask_app.errors import ComesTooSoon
from flask_app.models import LeftIdentity, LinkedIdentity, Registration
from flask_app.services.budgets import budget_service


def remember(session: Session, user_id: str) -> None:
    """Within the transaction that ends the account."""
    until = _until(utc_now())
    for identity in session.scalars(select(LinkedIdentity.identity).where(LinkedIdentity.user_id == user_id)):
        session.merge(LeftIdentity(identity=identity, until=until))
    if address := session.scalar(select(Registration.came_in_by).where(Registration.user_id == user_id)):
        session.merge(LeftIdentity(identity=of_address(address), until=until))


def of_address(folded: str) -> str:
    """A confirmed address as an identity: signed, for anybody could take the digest of an address that they guess."""
    return hmac.digest(config.current().secret_key.encode(), f"left:{folded}".encode(), "sha256").hex()


def check(session: Session, identity: str) -> None:
    """Raises ComesTooSoon, with the moment from which a new account is made."""
    until = session.scalar(select(LeftIdentity.until).where(LeftIdentity.identity == identity))
    if until is not None and until > utc_now():
        raise ComesTooSoon(again_at=until)


def prune() -> None:
    """Forget those whose time is over."""
    over = LeftIdentity.until <= ByServer(0)
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
