"""Is each balance its top-ups, less all that was used after it was made and nothing before? From the ledger, anew.

An entry's id and a balance's say when they were written, by the database's clock. Where both were written within NEAR
no clock tells which came first: a transaction is committed a while after its ids are made. Such an entry may be on
either side of the balance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, select, true, update
from sqlalchemy.engine import Connection

from flask_app.database import fetching, first_id, moment_of, table_of
from flask_app.domain.budget import PREPAID, TOKENS
from flask_app.models import TokenUsage, TopUp
from flask_app.services.budget_service import budgets

NEAR = timedelta(minutes=1)

_ledger, _top_ups = table_of(TokenUsage), table_of(TopUp)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A figure of a balance, "amount" or "spent_before", and what it is by its top-ups or by the ledger."""

    balance_id: str
    figure: str
    stands: int
    rightly: int

    def __str__(self) -> str:
        return f"{self.balance_id}: {self.figure} {self.stands:,}, rightly {self.rightly:,}"


def mistakes() -> Iterator[Mistake]:
    """All there are, none normally: balance by balance, one look at the ledger after the other."""
    with fetching() as connection:
        balances = connection.execute(_BALANCES).all()
    for balance in balances:
        if balance.amount != balance.topped_up:
            yield Mistake(balance.id, "amount", balance.amount, int(balance.topped_up))
        with fetching() as connection:
            before, near, least, most = (int(part or 0) for part in connection.execute(_sums(balance)).one())
        if not before + least <= balance.spent_before <= before + most:
            yield Mistake(balance.id, "spent_before", balance.spent_before, before + near)


def mend(connection: Connection, found: Mistake) -> bool:
    """Put it right; False where the figure is another by now, as after a top-up."""
    figure = budgets.c[found.figure]
    same = update(budgets).where(budgets.c.id == found.balance_id, figure == found.stands)
    return bool(connection.execute(same.values({figure: found.rightly})).rowcount)


def _sums(balance: Row[Any]) -> Select[Any]:
    """Of what is surely of before the balance; of what is near it, by the ids, at the least and at the most."""
    entry, made = _ledger.c, moment_of(balance.id)
    whose = {"site": true(), "group": entry.group_id == balance.scope_id, "user": entry.user_id == balance.scope_id}
    amount = entry.prompt_tokens + entry.completion_tokens
    if balance.unit != TOKENS:
        amount = case((entry.currency == balance.unit, entry.cost_micros), else_=0)
    near = entry.id >= first_id(made - NEAR)
    sums = (
        case((near, 0), else_=amount),
        case((and_(near, entry.id < balance.id), amount), else_=0),
        case((and_(near, amount < 0), amount), else_=0),
        case((and_(near, amount > 0), amount), else_=0),
    )
    counted = (whose[balance.scope], entry.day.is_not(None), entry.id < first_id(made + NEAR))
    return select(*map(func.sum, sums)).where(*counted)


_topped_up = select(func.coalesce(func.sum(_top_ups.c.amount), 0)).where(_top_ups.c.budget_id == budgets.c.id)
_BALANCES = (
    select(budgets, _topped_up.correlate(budgets).scalar_subquery().label("topped_up"))
    .where(budgets.c.period == PREPAID)
    .order_by(budgets.c.id)
)
