"""`flask usage …`: the ledger verified and the roll-up mended from a terminal."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, select, update

from flask_app.database import in_writing, reading, transaction, utc_now
from flask_app.domain.balance import Balance, Sum
from flask_app.domain.reconciliation import Threshold
from flask_app.models import AuditEntry, Reconciliation, UsageHourly, User
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.reconciliation import drift_threshold, readings, reconciliation_service
from tests.support import ledger
from tests.support.keys import keep_key, keep_provider

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


@pytest.mark.unsound_ledger("an entry that cannot be")
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


def tell(at: datetime, left: int) -> None:
    """A reading of the balance of the key `k`, compared at once."""
    key = UsableKey("k", "", "", "p")
    told = Balance(available=True, sums=[Sum(currency="CNY", total=left, granted=0, topped_up=left)])
    in_writing(lambda connection: readings.keep(connection, key, told, at))
    reconciliation_service.refresh(readings.account_of(key), at)


def test_what_a_provider_took_is_compared_and_a_drift_is_status_1_until_it_is_known(app: Flask, member: User) -> None:
    keep_key(keep_provider("P", "http://127.0.0.1:1"), "k")
    tell(NOON, 10_000_000)
    assert run(app, "reconcile", "--day", "2026-11-25").output == "No two readings of a balance to compare.\n"
    (entry,) = ledger.write([ledger.entry(member.id, NOON, key_id="k", source="estimated", cost_micros=1_250_000)])
    tell(NOON + timedelta(minutes=30), 8_750_000)
    even = run(app, "reconcile", "--day", "2026-11-25")
    assert even.exit_code == 0
    heads, line = even.output.splitlines()
    assert " ".join(heads.split()) == "DAY ACCOUNT CURRENCY BEFORE AFTER BOOKED OTHER CHANGES DRIFT STATE"
    assert " ".join(line.split()) == "2026-11-25 k CNY 10 8.75 1.25 - 0 even"

    tell(NOON + timedelta(minutes=60), 8_250_000)
    drifted = run(app, "reconcile", "--from", "2026-11-24", "--to", "2026-11-26")
    assert drifted.exit_code == 1
    assert "k, 2026-11-25T04:00Z to 2026-11-25T05:00Z: 0.5 CNY" in drifted.output
    assert "  estimated: 1 (1.25 CNY)" in drifted.output
    assert f"    2026-11-25T04:00Z {entry.id} deepseek-flash member 1.25 CNY" in drifted.output
    with reading() as session:
        day = session.scalars(select(Reconciliation)).one()
    assert run(app, "acknowledge", day.id, "--note", "we know").output == "k, 2026-11-25: known\n"
    known = run(app, "reconcile", "--day", "2026-11-25")
    assert (known.exit_code, known.output.split()[-1]) == (0, "known")


def test_how_much_may_differ_is_said(app: Flask) -> None:
    assert run(app, "drift", "1.5", "20").exit_code == 0
    with reading() as session:
        assert drift_threshold.stored(session) == Threshold(1_500_000, 20)
    assert run(app, "drift", "much", "20").exit_code == 1


def test_less_taken_than_booked_and_a_top_up_are_told_with_their_sign(app: Flask) -> None:
    keep_key(keep_provider("P", "http://127.0.0.1:1"), "k")
    tell(NOON, 10_000_000)
    tell(NOON + timedelta(minutes=30), 60_000_000)
    ledger.write([ledger.entry("somebody", NOON + timedelta(minutes=40), key_id="k", cost_micros=2_500_000)])
    tell(NOON + timedelta(minutes=60), 60_000_000)
    result = run(app, "reconcile", "--day", "2026-11-25")
    assert result.exit_code == 1
    assert result.output.splitlines()[1].split()[3:] == ["10", "60", "2.5", "credited", "+50", "-2.5", "drift"]


def test_yesterday_and_today_are_compared_where_no_day_is_given(app: Flask) -> None:
    now = utc_now()
    for days in (3, 2, 1, 0):
        for minutes in (1, 0):
            tell(now - timedelta(days=days, minutes=minutes), 10_000_000)
    found = run(app, "reconcile").output.splitlines()[1:]
    today = reconciliation_service.today(now)
    assert {line.split()[0] for line in found} == {str(today), str(today - timedelta(days=1))}


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--day", "2026-11-25", "--to", "2026-11-26"), 2),
        (("--day", "yesterday"), 2),
        (("--from", "2026-11-26", "--to", "2026-11-25"), 1),
    ],
)
def test_days_to_compare_make_sense(app: Flask, arguments: tuple[str, ...], status: int) -> None:
    result = run(app, "reconcile", *arguments)
    assert (result.exit_code, "Traceback" in result.output) == (status, False)
