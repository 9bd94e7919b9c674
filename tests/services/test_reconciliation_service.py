"""Readings are kept, days are compared with the ledger as they come, and what drifts is found."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from flask_app.database import in_writing, reading, transaction, utc_now
from flask_app.domain.balance import Balance, Sum
from flask_app.domain.reconciliation import Threshold
from flask_app.errors import Invalid
from flask_app.models import ApiKey, BalanceReading, Reconciliation, TokenUsage
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import refund_service
from flask_app.services.operations import upkeep_service
from flask_app.services.providers import model_service
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.reconciliation import (
    drift_threshold,
    readings,
    reconciliation_admin_service,
    reconciliation_service,
)
from tests.support import ledger
from tests.support.clients import PageClient
from tests.support.keys import change_key, keep_key, keep_provider, stored_key
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.together import at_once
from tests.support.upstream_account import Account

FIRST = "environment"
KEY = UsableKey("k", "", "", "p")
UNIT = 1_000_000
DAY = date(2026, 11, 25)
MIDNIGHT = datetime(2026, 11, 24, 16, tzinfo=UTC)  # in Shanghai


@pytest.fixture
def account(upstream: ScriptedUpstream) -> Iterator[Account]:
    """The provider's own account of what it has answered."""
    model_service.available()
    upstream.account = Account()
    yield upstream.account
    upstream.account = None


def rows(model: Any = Reconciliation) -> list[Any]:
    with reading() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def tell(hours: float, left: float, *, key: UsableKey = KEY, **fields: Any) -> None:
    """A reading so many hours after the day's beginning, compared at once."""
    asked = MIDNIGHT + timedelta(hours=hours)
    total = round(left * UNIT)
    sums = [Sum(currency=fields.get("currency", "CNY"), total=total, granted=0, topped_up=total)]
    in_writing(lambda connection: readings.keep(connection, key, Balance(available=True, sums=sums), asked))
    reconciliation_service.refresh(readings.account_of(key), asked)


def book(hours: float, amount: float, **fields: Any) -> TokenUsage:
    usual = {"key_id": KEY.id, "duration_ms": 0, "cost_micros": round(amount * UNIT)}
    moment = MIDNIGHT + timedelta(hours=hours)
    return ledger.write([ledger.entry("somebody", moment, **(usual | fields))])[0]


@pytest.fixture
def key(app: Any) -> None:
    keep_key(keep_provider("P", "http://127.0.0.1:1"), "k")


def ask_and_read(upstream: ScriptedUpstream, client: PageClient) -> None:
    used = Usage(prompt=100_000, cached=60_000, completion=50_000)
    upstream.script(Answer("one", usage=used))
    response = client.post("/api/chat", json={"message": "hello"}, headers={"Accept": "application/json"})
    assert response.status_code == 200
    upstream.journal.wait_until_idle()
    read()


def read() -> None:
    with transaction() as session:
        session.execute(update(ApiKey).values(balance_due_at=utc_now() - timedelta(seconds=1)))
    upkeep_service.tick()


def test_each_reading_is_kept_as_it_was_told(
    upstream: ScriptedUpstream, account: Account, member_client: PageClient
) -> None:
    account.granted, account.decimals = Decimal("10.5"), 2
    read()
    (kept,) = rows(BalanceReading)
    told = (kept.currency, kept.total, kept.granted, kept.topped_up)
    assert told == ("CNY", 110_500_000, 10_500_000, 100_000_000)
    assert (kept.account, kept.key_id, kept.keys) == (FIRST, FIRST, FIRST)
    assert abs(kept.created_at - utc_now()) < timedelta(minutes=1)
    read()
    first, second = rows(BalanceReading)
    assert first.id == kept.id != second.id


def test_what_a_provider_takes_is_what_is_booked(
    upstream: ScriptedUpstream, account: Account, member_client: PageClient
) -> None:
    read()
    for _ in range(3):
        ask_and_read(upstream, member_client)
    (day, *older) = reversed(rows())
    assert older == [] or older[0].drift == 0
    assert sum(each.booked for each in rows()) == int(sum(account.charged) * UNIT) > 0
    assert [(each.drift, each.aside, each.stands) for each in rows()] == [(0, "{}", False)] * len(rows())
    assert day.readings >= 2


@pytest.mark.unsound_ledger("an entry is forgotten")
def test_an_entry_that_was_forgotten_is_a_drift_of_its_cost(
    upstream: ScriptedUpstream, account: Account, member_client: PageClient
) -> None:
    read()
    ask_and_read(upstream, member_client)
    with transaction() as session:
        session.execute(delete(TokenUsage))
    read()
    drifted = [each for each in rows() if each.drift]
    assert [each.drift for each in drifted] == [int(sum(account.charged) * UNIT)]
    assert [each.stands for each in drifted] == [True]


def test_keys_of_one_account_are_compared_together_and_told_apart(
    upstream: ScriptedUpstream, account: Account, member_client: PageClient
) -> None:
    change_key(FIRST, account="ours")
    keep_key(stored_key(FIRST).provider_id, "second", account="ours")
    read()
    ask_and_read(upstream, member_client)
    assert [each.keys for each in rows(BalanceReading)] == [f"{FIRST} second"] * 2
    kept = rows()
    assert {each.account for each in kept} == {f"{stored_key(FIRST).provider_id}/ours"}
    assert sum(each.drift for each in kept) == 0
    assert '"second": ' in kept[0].booked_by_key


def test_days_are_the_sites_and_leave_nothing_out(key: None) -> None:
    for hours, left in ((-1, 10), (-0.5, 9), (0.5, 8), (23.5, 7), (24, 6)):
        tell(hours, left)
    days = {each.day: (each.start_total // UNIT, each.end_total // UNIT, each.readings) for each in rows()}
    assert days == {
        DAY - timedelta(days=1): (10, 9, 2),
        DAY: (9, 7, 3),
        DAY + timedelta(days=1): (7, 6, 2),
    }


def test_an_answer_counts_where_it_ended(key: None) -> None:
    tell(0.5, 10)
    book(0.9, 1, duration_ms=30 * 60_000)
    tell(1, 10)
    tell(2, 9)
    (day,) = rows()
    assert (day.drift, day.booked) == (0, UNIT)
    book(0.4, 5, duration_ms=0)
    book(1.9, 5, duration_ms=30 * 60_000)
    tell(2.1, 9)
    assert rows()[0].booked == UNIT


def test_a_refund_here_is_nothing_that_the_provider_gives_back(key: None) -> None:
    tell(0.5, 10)
    entry = book(1, 1)
    given_back = {name: -getattr(entry, name) for name in refund_service.NEGATED}
    refund = {"kind": "refund", "key_id": "k", "attempt_id": entry.attempt_id, "duration_ms": 0, "first_token_ms": None}
    ledger.write([ledger.entry("somebody", entry.created_at, **(given_back | refund))])
    tell(1.5, 9)
    assert rows()[0].drift == 0


def test_what_was_acknowledged_is_an_alarm_again_when_it_grows(key: None) -> None:
    tell(1, 10)
    tell(2, 9)
    (day,) = rows()
    assert (day.drift, day.stands) == (UNIT, True)
    with transaction() as session:
        session.execute(update(Reconciliation).values(known_drift=UNIT, stands=False))
    tell(3, 8.95)
    assert [each.stands for each in rows()] == [False]
    tell(4, 8.5)
    assert [each.stands for each in rows()] == [True]
    book(3.5, 1.5)
    tell(4.1, 8.5)
    assert [(each.drift, each.stands) for each in rows()] == [(0, False)], "it is no alarm that it is gone"


def test_several_that_read_at_once_keep_one_day(key: None) -> None:
    tell(1, 10)
    with capture_logs() as logged:
        at_once(4, lambda number: tell(2 + number / 100, 9))
    (day,) = rows()
    assert (day.drift, day.until) == (UNIT, MIDNIGHT + timedelta(hours=2.03))
    assert [each["event"] for each in logged] == ["balance_drift"], "one alarm, whoever was first"


def test_a_day_is_computed_alike_from_the_readings_alone(key: None) -> None:
    for hours, left in ((-1, 10), (1, 9), (2, 8)):
        tell(hours, left)
    book(1.5, 0.5)
    tell(2.5, 8)
    kept = [(each.day, each.drift, each.booked) for each in rows()]
    found = reconciliation_service.days(DAY, DAY)
    assert [(each.day, each.found.drift, each.found.total_booked) for each in found] == kept
    assert reconciliation_service.days(DAY - timedelta(days=9), DAY - timedelta(days=2)) == []


def test_a_provider_that_names_no_sum_is_not_read(key: None) -> None:
    in_writing(lambda connection: readings.keep(connection, KEY, Balance(available=True, sums=[]), MIDNIGHT))
    assert rows(BalanceReading) == []


def test_of_a_currency_that_is_named_twice_the_first_is_kept(key: None) -> None:
    sums = [Sum(currency="CNY", total=total, granted=0, topped_up=total) for total in (3, 5)]
    in_writing(lambda connection: readings.keep(connection, KEY, Balance(available=True, sums=sums), MIDNIGHT))
    assert [each.total for each in rows(BalanceReading)] == [3]


def test_who_read_before_and_writes_after_leaves_the_later_comparison(key: None) -> None:
    for hours, left in ((1, 10), (2, 9), (3, 7)):
        tell(hours, left)
    assert [each.drift for each in rows()] == [3 * UNIT]
    with transaction() as session:
        session.execute(delete(BalanceReading).where(BalanceReading.total == 7 * UNIT))
    reconciliation_service.refresh(KEY.id or "", MIDNIGHT + timedelta(hours=2))
    (day,) = rows()
    assert (day.drift, day.until, day.readings) == (3 * UNIT, MIDNIGHT + timedelta(hours=3), 3)


@pytest.mark.parametrize(("absolute", "permille"), [(-1, 0), (0, -1), (drift_threshold.MAX_ABSOLUTE + 1, 0), (0, 1001)])
def test_a_threshold_that_makes_no_sense_leaves_the_usual_one(app: Any, absolute: int, permille: int) -> None:
    with pytest.raises(Invalid, match="bad_threshold"):
        reconciliation_admin_service.set_threshold(Actor(None), absolute, permille)
    with reading() as session:
        assert drift_threshold.stored(session) == Threshold(100_000, 10)


def test_the_widest_and_the_narrowest_threshold_can_be_set(app: Any) -> None:
    for terms in ((drift_threshold.MAX_ABSOLUTE, 1000), (0, 0)):
        reconciliation_admin_service.set_threshold(Actor(None), *terms)
        with reading() as session:
            assert drift_threshold.stored(session) == Threshold(*terms)
