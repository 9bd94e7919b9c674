"""Days on which a provider's balance and the ledger differ, as a reading would have kept them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_app.database import new_id, transaction
from flask_app.domain.periods import local_day
from flask_app.models import Reconciliation

URL = "/api/admin/reconciliations"
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)


def values(account: str, until: datetime = NOON, **fields: Any) -> dict[str, Any]:
    """An alarm: in the half hour up to a moment, noon if not told, 1.5 fell and 1 was booked."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "account": account,
        "day": local_day(until, ZoneInfo("Asia/Shanghai")),
        "currency": "CNY",
        "since": until - timedelta(minutes=30),
        "until": until,
        "readings": 2,
        "start_total": 10_000_000,
        "end_total": 8_500_000,
        "booked": 1_000_000,
        "booked_by_key": f'{{"{account}": 1000000}}',
        "aside": "{}",
        "drift": 500_000,
        "slack": 0,
        "stands": True,
    }
    return usual | fields


def kept(account: str, **fields: Any) -> Reconciliation:
    """The same in the tests' database."""
    day = Reconciliation(**values(account, **fields))
    with transaction() as session:
        session.add(day)
    return day
