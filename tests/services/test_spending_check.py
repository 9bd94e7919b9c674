"""What was spent by day and by month is what the ledger says: verified and mended without touching the ledger."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Dialect, delete, select, update
from sqlalchemy.dialects import mysql, sqlite

from flask_app.database import fetching, reading, transaction
from flask_app.domain.ranges import Days
from flask_app.models import SpentDaily, SpentMonthly, TokenUsage
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion.attempts import Bounds
from flask_app.services.ledger import refund_service, spending_check, spending_months, usage_check_service
from tests.support import calls, ledger
from tests.support.work import work

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)


def verify() -> list[tuple[str, str]]:
    return [(finding.what, finding.where) for finding in usage_check_service.verify()]


@pytest.mark.parametrize("harm", ["lost", "one token", "invented"])
def test_a_counter_of_a_day_that_is_wrong_is_found_and_mended(app: Flask, harm: str) -> None:
    ledger.write(
        ledger.entry("amina", NOON - timedelta(days=days), day=(NOON - timedelta(days=days)).date()) for days in (0, 9)
    )
    before = counters()
    with transaction() as session:
        row = session.scalars(select(SpentDaily).where(SpentDaily.unit == "CNY", SpentDaily.scope == "user")).first()
        assert row
        if harm == "lost":
            session.delete(row)
        elif harm == "one token":
            row.amount += 1
        else:
            session.add(SpentDaily(scope="group", scope_id="nobody's", unit="USD", day=date(2026, 11, 30), amount=5))
    ((what, where),) = verify()
    assert what == "spent by day"
    assert {"lost": "amount=1000", "one token": "amount=-1", "invented": "amount=-5"}[harm] in where.split()
    assert usage_check_service.rebuild(Actor(None)) == 1
    assert verify() == []
    assert {key: amount for key, amount in counters().items() if amount} == before


def test_what_a_token_used_in_a_day_is_verified_and_mended(app: Flask) -> None:
    ledger.write(ledger.entry("amina", NOON, day=NOON.date(), token_id=token) for token in ("t", "t", "u", None))
    before = counters()
    assert before["token", "t", "tokens", NOON.date()] == 300
    assert verify() == []
    with transaction() as session:
        session.execute(delete(SpentDaily).where(SpentDaily.scope == "token", SpentDaily.scope_id == "t"))
    told = [(what, where.split()[0]) for what, where in verify()]
    assert told == [("spent by day", "scope=token")] * 2 + [("spent by month", "token_id=t")] * 2
    usage_check_service.rebuild(Actor(None))
    assert counters() == before


@pytest.mark.parametrize("harm", ["lost", "one token", "invented"])
def test_a_tokens_month_is_its_days(app: Flask, harm: str) -> None:
    days = [date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1)]
    for day in days:
        noon = datetime.combine(day, NOON.timetz())
        ledger.write(ledger.entry("amina", noon, day=day, token_id=token) for token in "tu")
    before = months()
    november, december = (before["t", "tokens", date(2026, month, 1)] for month in (11, 12))
    assert (november, december) == (300, 150)
    with transaction() as session:
        row = session.get_one(SpentMonthly, ("t", "tokens", date(2026, 11, 1)))
        if harm == "lost":
            session.delete(row)
        elif harm == "one token":
            row.amount += 1
        else:
            session.add(SpentMonthly(token_id="v", unit="CNY", month=date(2026, 11, 1), amount=5))
    ((what, where),) = verify()
    assert what == "spent by month"
    assert {"lost": "amount=300", "one token": "amount=-1", "invented": "amount=-5"}[harm] in where.split()
    assert usage_check_service.rebuild(Actor(None)) == 1
    assert verify() == []
    assert {key: amount for key, amount in months().items() if amount} == before


def test_the_version_before_knows_each_counter_of_a_day(app: Flask) -> None:
    """It runs on this schema too: what it does not find in the ledger it would tell of, and make nothing of."""
    ledger.write([ledger.entry("amina", NOON, day=NOON.date(), token_id="t", group_id="readers")])
    assert {(scope, day) for scope, _, _, day in counters()} == {
        (scope, NOON.date()) for scope in ("site", "group", "user", "token")
    }


def test_what_an_older_version_settled_is_counted_for_the_attempts_token(app: Flask) -> None:
    """It knows no token in the ledger: told, then added, and the entry stays as it is."""
    asked = [calls.call_of("amina", token_id=token) for token in ("t", "t", None)]
    sent = [calls.dispatch(call, Bounds(prompt=9, answer=99)) for call in asked]
    for each in sent:
        calls.settle(each, 9, 20)
    before = counters()
    with transaction() as session:
        of_old = TokenUsage.attempt_id.in_([sent[0].attempt_id, sent[2].attempt_id])
        session.execute(update(TokenUsage).where(of_old).values(token_id=None))
        session.execute(update(SpentDaily).where(SpentDaily.scope == "token").values(amount=SpentDaily.amount // 2))
        session.execute(update(SpentMonthly).values(amount=SpentMonthly.amount // 2))
    entries = ledger_rows()
    lost = counters()
    assert {key for key in before if before[key] != lost[key]} == {key for key in before if key[0] == "token"}
    assert [(what, "scope=token scope_id=t" in where) for what, where in verify()] == [("spent by day", True)] * 2
    assert usage_check_service.rebuild(Actor(None)) == 2
    assert (counters(), ledger_rows(), verify()) == (before, entries, [])
    for record in entries:
        refund_service.refund(Actor(None), record["id"], "it was wrong")
    assert {amount for key, amount in counters().items() if key[0] == "token"} == {0}
    assert verify() == []


def ledger_rows() -> list[dict[str, Any]]:
    with reading() as session:
        return [ledger.row_of(entry) for entry in session.scalars(select(TokenUsage).order_by(TokenUsage.id))]


def test_what_others_were_given_back_since_is_no_work_for_a_day(app: Flask) -> None:
    """It would be as many times the refunds as there are days."""
    old, late = NOON - timedelta(days=60), NOON - timedelta(days=1)
    _, given_back = ledger.write(ledger.entry("amina", old, day=old.date()) for _ in range(2))
    refund_service.refund(Actor(None), given_back.id, "it was wrong", at=late)
    of_that_day = Days(old.date(), old.date())
    once = work(lambda: compared(of_that_day))
    for entry in ledger.write(ledger.entry("bo", late, day=late.date()) for _ in range(300)):
        refund_service.refund(Actor(None), entry.id, "it was wrong", at=NOON)
    assert work(lambda: compared(of_that_day)) < 2 * once


def compared(days: Days) -> list[dict[str, Any]]:
    with fetching() as connection:
        return spending_check.differences(connection, days)


def counters() -> dict[tuple[str, str, str, date], int]:
    with reading() as session:
        return {(row.scope, row.scope_id, row.unit, row.day): row.amount for row in session.scalars(select(SpentDaily))}


def months() -> dict[tuple[str, str, date], int]:
    with reading() as session:
        return {(row.token_id, row.unit, row.month): row.amount for row in session.scalars(select(SpentMonthly))}


@pytest.mark.parametrize(("dialect", "month"), [(mysql.dialect(), "INTERVAL"), (sqlite.dialect(), "start of month")])
def test_months_are_told_by_the_databases_own_arithmetic(dialect: Dialect, month: str) -> None:
    assert month in str(spending_months._DIFFERENCES.compile(dialect=dialect))
