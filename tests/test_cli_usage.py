"""`flask usage …`: the ledger verified and the roll-up mended from a terminal."""

from datetime import UTC, datetime

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, select, update

from flask_app.database import reading, transaction
from flask_app.models import AuditEntry, UsageHourly, User
from tests.support import ledger

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["usage", *arguments])


def test_a_ledger_that_adds_up_says_how_many_entries_it_has(app: Flask) -> None:
    assert run(app, "verify").output == "0 entries, no difference.\n"
    ledger.write(ledger.entry("amina", NOON) for _ in range(3))
    result = run(app, "verify")
    assert (result.exit_code, result.output) == (0, "3 entries, no difference.\n")


def test_a_difference_is_shown_and_is_status_1_until_it_is_mended(app: Flask) -> None:
    ledger.write([ledger.entry("amina", NOON)])
    with transaction() as session:
        session.execute(update(UsageHourly).where(UsageHourly.slice == "site_day").values(requests=2))
    result = run(app, "verify")
    assert result.exit_code == 1
    assert "roll-up site_day: block=" in result.output
    assert "requests +1" in result.output
    assert run(app, "rebuild").output == "Mended in 1 places.\n"
    assert run(app, "rebuild").output == "Nothing was wrong.\n"
    assert run(app, "verify").exit_code == 0
    with reading() as session:
        logged = session.execute(select(AuditEntry.action, AuditEntry.actor_name)).all()
    assert logged == [("usage.rebuild", "(command line)")] * 2


@pytest.mark.unsound_ledger
def test_an_entry_that_is_wrong_stays_wrong(app: Flask) -> None:
    ledger.write([ledger.entry("amina", NOON, cached_tokens=1000)])
    with transaction() as session:
        session.execute(delete(UsageHourly))
    assert run(app, "rebuild").exit_code == 0
    result = run(app, "verify")
    assert result.exit_code == 1
    assert "more than the whole" in result.output
    assert "roll-up" not in result.output.splitlines()[0]


def test_a_record_is_refunded_once(app: Flask, member: User) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, NOON, cost_micros=1_500_000)])
    arguments = ("refund", entry.id, "--reason", "a fault of ours")
    assert run(app, *arguments).output == "Refunded 150 tokens and 1.5 CNY to member.\n"
    again = run(app, *arguments)
    assert (again.exit_code, again.output) == (1, "Error: This record has been refunded already.\n")
    assert run(app, "refund", "nothing", "--reason", "x").exit_code == 1
    assert run(app, "refund", entry.id).exit_code == 2
    assert run(app, "verify").output == "2 entries, no difference.\n"
