"""Days that anything knows are looked at, however long nothing was between them."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, insert

from flask_app.database import transaction
from flask_app.domain.periods import QUARTERS_A_DAY, Period, quarter_of
from flask_app.models import TokenUsage
from flask_app.services.ledger.rollup import FIGURES, RETIRED, SITE_HOUR, UNUSED, rollup
from flask_app.services.ledger.used_days import used_days
from tests.support import ledger

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = Period(quarter_of(FIRST), quarter_of(FIRST) + 365 * QUARTERS_A_DAY)


@pytest.mark.unsound_ledger("rows of the roll-up without entries")
def test_every_day_that_anything_knows_is_found(app: Flask) -> None:
    assert _days() == []
    ledger.write(
        [ledger.entry("a", FIRST + timedelta(days=day, hours=hour)) for day, hour in ((3, 0), (3, 5), (200, 23))]
    )
    assert _days() == [3, 200]
    unbooked = ledger.attempt_of(ledger.entry("a", FIRST + timedelta(days=100)))
    rows = [(SITE_HOUR, 90), (RETIRED[0], 364)]
    with transaction() as session:
        session.add(unbooked)
        for each, day in rows:
            block = each.block_of(YEAR.start + day * QUARTERS_A_DAY + QUARTERS_A_DAY - 1)
            row = {"slice": each.name, "block": block} | UNUSED | dict.fromkeys(FIGURES, 1)
            session.execute(insert(rollup).values(row))
    assert _days() == [3, 90, 100, 200, 364]
    with transaction() as session:
        session.execute(delete(rollup).where(rollup.c.slice != SITE_HOUR.name))
        session.execute(delete(TokenUsage).where(TokenUsage.created_at > FIRST + timedelta(days=150)))
    assert _days() == [3, 90, 100, 200], "its attempt and its hour are there still"


def _days() -> list[int]:
    found = list(used_days(YEAR))
    assert all(day.end - day.start == QUARTERS_A_DAY for day in found)
    return [(day.start - YEAR.start) // QUARTERS_A_DAY for day in found]
