"""Is each balance its top-ups, less all that was used after it was made and nothing before? From the ledger, anew.

An entry's id and a balance's say when they were written, by the database's clock. Where both were written within NEAR
no clock tells which came first: a transaction is committed a while after its ids are made. Such an entry may be on
either side of the balance.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, case, func, select, true, update
from sqlalchemy.engine import Connection

from flask_app.database import fetching, first_id, moment_of, table_of
from flask_app.domain.budget import PREPAID, TOKENS
from flask_app.models import TokenUsage, TopUp
from flask_app.services.budgets.standing_queries import budgets

NEAR = timedelta(minutes=1)
AT_ONCE = timedelta(days=8)  # of the ledger: a statement of a second

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
    """All there are, none normally: balance by balance, one look at the ledger after the other.

    No index finds what the site or a group used: the ledger is read once for all their balances.
    """
    with fetching() as connection:
        balances = connection.execute(_BALANCES).all()
    shared = _used_before([balance for balance in balances if balance.scope != "user"])
    for balance in balances:
        if balance.amount != balance.topped_up:
            yield Mistake(balance.id, "amount", balance.amount, int(balance.topped_up))
        with fetching() as connection:
            sums = connection.execute(_sums(balance, only_near=balance.id in shared)).one()
        before, near, least, most = (int(part or 0) for part in sums)
        before += shared.get(balance.id, 0)
        if not before + least <= balance.spent_before <= before + most:
            yield Mistake(balance.id, "spent_before", balance.spent_before, before + near)


def mend(connection: Connection, found: Mistake) -> bool:
    """Put it right; False where the figure is another by now, as after a top-up."""
    figure = budgets.c[found.figure]
    same = update(budgets).where(budgets.c.id == found.balance_id, figure == found.stands)
    return bool(connection.execute(same.values({figure: found.rightly})).rowcount)


def _used_before(balances: list[Row[Any]]) -> dict[str, int]:
    """What the site or the group had surely used before each of these balances."""
    ends = {balance.id: first_id(moment_of(balance.id) - NEAR) for balance in balances}
    used: Counter[tuple[str | None, str]] = Counter()  # by group and unit
    found = dict.fromkeys(ends, 0)
    for first, end in _windows(set(ends.values())):
        with fetching() as connection:
            for group_id, currency, tokens, micros in connection.execute(_BY_GROUP, {"first": first, "end": end}):
                used[group_id, TOKENS] += int(tokens)
                if currency:
                    used[group_id, currency] += int(micros)
        for balance in balances:
            if ends[balance.id] == end:
                found[balance.id] = sum(amount for key, amount in used.items() if _counts(balance, *key))
    return found


def _counts(balance: Row[Any], group_id: str | None, unit: str) -> bool:
    return unit == balance.unit and (balance.scope == "site" or bool(group_id == balance.scope_id))


def _windows(ends: set[str]) -> Iterator[tuple[str, str]]:
    """From the first id of the ledger up to the last of these ends: to each of them, and never far at once."""
    with fetching() as connection:
        first = connection.scalar(select(func.min(_ledger.c.id)))
    if first is None or not ends:
        return
    moment, steps = moment_of(first), {first, *(end for end in ends if end > first)}
    while (moment := moment + AT_ONCE) < moment_of(max(ends)):
        steps.add(first_id(moment))
    yield from pairwise(sorted(steps))


def _sums(balance: Row[Any], *, only_near: bool) -> Select[Any]:
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
    counted = [whose[balance.scope], entry.day.is_not(None), entry.id < first_id(made + NEAR)]
    if only_near:
        counted.append(near)
    return select(*map(func.sum, sums)).where(*counted)


_BY_GROUP = (
    select(
        _ledger.c.group_id,
        _ledger.c.currency,
        func.sum(_ledger.c.prompt_tokens + _ledger.c.completion_tokens),
        func.sum(_ledger.c.cost_micros),
    )
    .where(_ledger.c.id >= bindparam("first"), _ledger.c.id < bindparam("end"), _ledger.c.day.is_not(None))
    .group_by(_ledger.c.group_id, _ledger.c.currency)
)
_topped_up = select(func.coalesce(func.sum(_top_ups.c.amount), 0)).where(_top_ups.c.budget_id == budgets.c.id)
_BALANCES = (
    select(budgets, _topped_up.correlate(budgets).scalar_subquery().label("topped_up"))
    .where(budgets.c.period == PREPAID)
    .order_by(budgets.c.id)
)
