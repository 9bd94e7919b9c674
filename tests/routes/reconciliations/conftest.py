"""A day on which a provider's balance and the ledger differ."""

import pytest

from flask_app.models import Reconciliation, User
from tests.support import drifts
from tests.support.keys import keep_key, keep_provider


@pytest.fixture
def day(member: User) -> Reconciliation:
    provider_id = keep_provider("Elsewhere", "http://127.0.0.1:1", models=["m"])
    keep_key(provider_id, "k1", account="ours")
    keep_key(provider_id, "k2", account="ours")
    return drifts.kept(f"{provider_id}/ours", booked_by_key='{"k1": 750000, "k2": 250000}')
