"""The ledger's entries one by one: where their figures are from."""

from typing import Any

import pytest

from flask_app.database import utc_now
from flask_app.errors import NotFound
from flask_app.models import User
from flask_app.services import records_service, refund_service
from flask_app.services.audit_service import Actor
from tests.support import ledger


@pytest.mark.parametrize(
    ("fields", "provenance"),
    [
        ({}, "reported"),
        ({"outcome": "stopped"}, "reported"),
        ({"source": "estimated"}, "estimated"),
        ({"source": "estimated", "outcome": "interrupted"}, "partial"),
    ],
)
def test_a_record_says_where_its_figures_are_from(member: User, fields: dict[str, Any], provenance: str) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, utc_now(), **fields)])
    record = records_service.get(entry.id)
    assert (record.provenance, record.username, record.reason) == (provenance, "member", None)
    assert (record.entry.id, record.entry.cost_micros, record.attempts) == (entry.id, 1000, 1)
    refund_service.refund(Actor(None), entry.id, "it was wrong")
    refunded = records_service.get(entry.id)
    assert (refunded.provenance, refunded.reason, refunded.entry.cost_micros) == ("refunded", "it was wrong", 1000)


def test_a_record_that_is_not_there_is_not_found(member: User) -> None:
    with pytest.raises(NotFound):
        records_service.get("nothing")
