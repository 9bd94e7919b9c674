"""`flask doctor` says when statistics lack what an older version settled while instances were renewed."""

import pytest
from flask import Flask
from sqlalchemy import delete

from flask_app.database import transaction, utc_now
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import usage_check_service
from flask_app.services.ledger.rollup import PERSON_FOUR_HOURS, rollup
from tests.support import ledger


@pytest.mark.usefixtures("member")
def test_statistics_that_lack_entries_are_told_until_they_are_added_up_anew(app: Flask) -> None:
    assert "ok      statistics: 0 entries" in _examined(app)
    ledger.write([ledger.entry("a", utc_now())])
    assert "statistics: 1 entry, in all of them" in _examined(app)
    ledger.write(ledger.entry("a", utc_now()) for _ in range(2))
    assert "statistics: 3 entries, in all of them" in _examined(app)
    with transaction() as session:
        session.execute(delete(rollup).where(rollup.c.slice == PERSON_FOUR_HOURS.name))
    said = _examined(app)
    assert "statistics: 3 entries missing in some of them" in said
    assert "Run: flask usage rebuild" in said
    usage_check_service.rebuild(Actor(None))
    assert "missing" not in _examined(app)


def _examined(app: Flask) -> str:
    return app.test_cli_runner().invoke(args=["doctor"]).output
