"""Top-ups of balances. A balance is a budget that never renews; its limit is the sum of its top-ups.

The row of the balance is locked while a top-up is written: requests for it wait, and so do other top-ups.
"""

from dataclasses import dataclass

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, new_id, table_of, utc_now
from flask_app.domain.budget import PREPAID
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import Budget, TopUp, User
from flask_app.services.budgets import budget_service
from flask_app.services.budgets.standing_queries import budgets
from flask_app.services.ledger import shared_clock
from flask_app.services.ledger.spending import spent
from flask_app.services.queries import paging

MAX_AMOUNT = 10**15

_top_ups, _users = table_of(TopUp), table_of(User)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of id, amount, reason, created_at and `by`, the name of who did it; None is the command line."""

    top_ups: list[Row[tuple[object, ...]]]
    next: str | None


def begin(session: Session, balance: Budget) -> None:
    """Count what is spent from now on, and nothing before: the ledger's ids tell which is which (`balance_check`).

    The rows of its people must be locked.
    """
    balance.id = new_id(shared_clock.ask(session.connection()))
    values = {"spender": balance.scope, "whose": balance.scope_id, "of_unit": balance.unit}
    balance.spent_before = int(session.execute(_SPENT, values).scalar_one())


def is_repeated(session: Session, balance: Budget, amount: int, reason: str, idempotency_key: str | None) -> bool:
    """Has this very top-up been added? Raises Conflict where its key stands for another; the row must be locked."""
    if idempotency_key is None:
        return False
    same = (TopUp.budget_id == balance.id, TopUp.idempotency_key == idempotency_key)
    earlier = session.execute(select(TopUp.amount, TopUp.reason).where(*same)).one_or_none()
    if earlier and earlier != (amount, reason):
        raise Conflict("top_up_key_reused")
    return earlier is not None


def credit(
    session: Session,
    balance: Budget,
    amount: int,
    reason: str,
    user_id: str | None,
    *,
    code_id: str | None = None,
    idempotency_key: str | None = None,
) -> None:
    """Add a top-up to a balance whose row is locked, or take back what is left where it is negative.

    Raises Invalid("bad_top_up") for nothing or too much, and Conflict("balance_in_use") where less would remain than
    is used and reserved.
    """
    if not amount or abs(amount) > MAX_AMOUNT or balance.amount + amount > MAX_AMOUNT:
        raise Invalid("bad_top_up", limit=MAX_AMOUNT)
    session.flush()
    now = utc_now()
    standing = budget_service.standings(session.connection(), [balance.id], now)[balance.id]
    if amount < 0 and standing.left + amount < 0:
        raise Conflict("balance_in_use")
    balance.amount += amount
    balance.topped_to = max(balance.amount - standing.spent, 0)
    balance.changed_at = now
    who = {"user_id": user_id, "code_id": code_id, "idempotency_key": idempotency_key}
    session.add(TopUp(budget_id=balance.id, amount=amount, reason=reason, created_at=now, **who))
    session.flush()


def listed(budget_id: str, *, before: str | None = None, limit: int = paging.PAGE) -> Page:
    """The newest first; raises NotFound, and BadRequest for a bad limit or cursor."""
    paging.checked_limit(limit)
    query = _LISTED.where(_top_ups.c.budget_id == budget_id).limit(limit + 1)
    if before is not None:
        query = query.where(_top_ups.c.id < paging.checked_id(before))
    with fetching() as connection:
        if connection.scalar(_IS_THERE, {"balance": budget_id}) is None:
            raise NotFound
        rows = list(connection.execute(query))
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


_SPENT = select(func.coalesce(func.sum(spent.c.amount), 0)).where(
    spent.c.scope == bindparam("spender"), spent.c.scope_id == bindparam("whose"), spent.c.unit == bindparam("of_unit")
)
_LISTED = (
    select(_top_ups, _users.c.username.label("by"))
    .outerjoin(_users, _users.c.id == _top_ups.c.user_id)
    .order_by(_top_ups.c.id.desc())
)
_IS_THERE = select(budgets.c.id).where(budgets.c.id == bindparam("balance"), budgets.c.period == PREPAID)
