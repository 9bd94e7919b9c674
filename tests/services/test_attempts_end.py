"""An attempt ends once, and is booked as it was dispatched."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from flask_app import database
from flask_app.database import in_writing, transaction, utc_now
from flask_app.domain.budget import Hold
from flask_app.domain.periods import quarter_of
from flask_app.models import Tariff, User
from flask_app.services.completion.attempts import Bounds, Call, Dispatched, Entry, Outcome
from flask_app.services.ledger import metering_service
from tests.support import ledger


def settle(sent: Dispatched, status: str) -> Entry | None:
    outcome = Outcome(status=status, text_parts=["some text"])
    return database.in_writing(lambda connection: metering_service.settle(connection, sent, outcome))


def release(sent: Dispatched) -> None:
    in_writing(lambda c: metering_service.release(c, sent, error_code="upstream_failed", status_code=500))


def dispatched(user: User, at: datetime | None = None) -> Dispatched:
    ids = {"request_id": "r", "address": "192.0.2.1", "provider_id": "p"}
    call = Call(user_id=user.id, channel="chat", model="deepseek-flash", currency="CNY", prompt_estimate=3, **ids)
    bounds = Bounds(prompt=9, answer=99)
    return in_writing(lambda connection: metering_service.dispatch(connection, call, None, bounds, at=at))


def test_settling_twice_is_settling_once(member: User) -> None:
    sent = dispatched(member)
    assert settle(sent, "complete") is not None
    assert settle(sent, "interrupted") is None
    assert settle(sent, "failed") is None
    release(sent)
    assert ledger.states() == ["settled"]
    assert [entry.outcome for entry in ledger.entries()] == ["complete"]


def test_what_was_released_is_never_booked(member: User) -> None:
    sent = dispatched(member)
    release(sent)
    assert settle(sent, "complete") is None
    assert ledger.states() == ["released"]
    assert ledger.entries() == []


def test_an_estimate_is_no_longer_than_was_asked_for_where_anything_was(member: User) -> None:
    sent = dispatched(member)
    before_budgets = dataclasses.replace(dispatched(member), hold=Hold())
    for each in (sent, before_budgets):
        outcome = Outcome(text_parts=["字" * 1000], reasoning_parts=["字" * 500])
        in_writing(lambda connection, each=each, outcome=outcome: metering_service.settle(connection, each, outcome))  # type: ignore[misc]
    counts = {entry.attempt_id: (entry.completion_tokens, entry.reasoning_tokens) for entry in ledger.entries()}
    assert counts == {sent.attempt_id: (99, 99), before_budgets.attempt_id: (900, 300)}


@pytest.mark.parametrize("by_another_process", [False, True])
def test_price_and_period_are_those_of_the_dispatch(member: User, *, by_another_process: bool) -> None:
    then = utc_now() - timedelta(hours=1)
    terms: dict[str, Any] = {"model": "deepseek-flash", "currency": "CNY", "input_hit": 0, "output": 0}
    with transaction() as session:
        session.add(Tariff(id="before", starts_at=then - timedelta(minutes=1), input_miss=1_000_000, **terms))
        session.add(Tariff(id="since", starts_at=then + timedelta(minutes=1), input_miss=9_000_000, **terms))
    sent = dispatched(member, at=then)
    if by_another_process:  # it knows what the attempt's row says, and looks the price up
        sent = dataclasses.replace(sent, priced=None)
    assert settle(sent, "complete") is not None
    (entry,) = ledger.entries()
    assert (entry.tariff_id, entry.cost_micros) == ("before", 3)
    assert (entry.created_at, entry.quarter) == (then, quarter_of(then))
