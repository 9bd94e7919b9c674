"""Days on which a provider's balance and the ledger differ, as a reading would have kept them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask_app.database import new_id, transaction
from flask_app.models import Reconciliation
from flask_app.services import reconciliation_service

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)


def kept(account: str, **fields: Any) -> Reconciliation:
    """An alarm: from half an hour before noon to noon, 1.5 fell and 1 was booked."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "account": account,
        "day": reconciliation_service.today(NOON),
        "currency": "CNY",
        "since": NOON - timedelta(minutes=30),
        "until": NOON,
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
    day = Reconciliation(**(usual | fields))
    with transaction() as session:
        session.add(day)
    return day
