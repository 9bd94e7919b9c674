"""What a provider said was left on an account: a reading every half an hour, and each day of it against the ledger."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask_app import database
from flask_app.domain.balance import Balance, Sum
from flask_app.domain.reconciliation import LAG
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.reconciliation import readings, reconciliation_service

DAYS = 40
PAUSE = timedelta(minutes=30)
FALL = 2_000_000  # micro-units from a reading to the next, whatever was booked: every day drifts
LEFT = 10**13


def fill(key: UsableKey, currency: str, until: datetime, tell: Callable[[str], object] = str) -> None:
    """Write the readings of the last days, and compare each day with the ledger as the reader of balances does."""
    asked = [until - LAG - PAUSE * number for number in reversed(range(DAYS * 48))]
    with database.writing() as connection:
        for number, moment in enumerate(asked):
            total = LEFT - FALL * number
            left = Sum(currency=currency, total=total, granted=0, topped_up=total)
            readings.keep(connection, key, Balance(available=True, sums=[left]), moment)
    for moment in asked[47::48]:
        reconciliation_service.refresh(readings.account_of(key), moment)
        tell(f"compared {moment:%Y-%m-%d}")
