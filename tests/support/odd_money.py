"""Budgets in currencies that nobody bills in, as versions before this check made them."""

from flask_app.database import transaction, utc_now
from flask_app.models import Budget, Group


def keep(unit: str, *, scope: str = "site", scope_id: str = "", period: str = "day", amount: int = 1_000) -> str:
    now = utc_now()
    odd = Budget(scope=scope, scope_id=scope_id, unit=unit, period=period, amount=amount, hard=True)
    odd.created_at, odd.changed_at = now, now
    with transaction() as session:
        session.add(odd)
        session.flush()
        return odd.id


def keep_opening(group_id: str, unit: str, amount: int = 1_000) -> None:
    with transaction() as session:
        group = session.get_one(Group, group_id)
        group.opening_unit, group.opening_amount = unit, amount
