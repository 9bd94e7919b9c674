"""Refunds: the opposite entry, once, in the moment it is made; every sum and the check agree."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.domain.periods import quarter_of
from flask_app.errors import AppError, BudgetExhausted, Conflict, Invalid, NotFound
from flask_app.models import Attempt, AuditEntry, SpentDaily, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.completion.attempts import Bounds
from flask_app.services.ledger import refund_service, usage_check_service
from flask_app.services.ledger.refund_service import NEGATED
from flask_app.services.usage import record_search, records_service, stats_service
from flask_app.services.usage.sums import Sum
from tests.support import calls, ledger
from tests.support.together import at_once

HOUSE = Actor(user=None)
REASON = "the provider was down"


def entries(kind: str) -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).where(TokenUsage.kind == kind)))


def total(person: User) -> Sum:
    return stats_service.own_summary(person, utc_now()).total


def test_tokens_and_money_are_given_back_now_and_the_request_still_counts(member: User) -> None:
    long_ago = utc_now() - timedelta(days=40)
    (entry,) = ledger.write([ledger.entry(member.id, long_ago, key_id="key")])
    refund_service.refund(HOUSE, entry.id, f" {REASON} ")
    (refund,) = entries("refund")
    assert {name: getattr(refund, name) for name in NEGATED} == {name: -getattr(entry, name) for name in NEGATED}
    for name in ("attempt_id", "user_id", "model", "key_id", "channel", "currency", "peak", "source", "outcome"):
        assert getattr(refund, name) == getattr(entry, name)
    assert refund.reason == REASON
    assert refund.created_at - utc_now() < timedelta(minutes=1)
    assert refund.quarter == quarter_of(refund.created_at) != entry.quarter

    assert total(member) == Sum(requests=1, refunds=1, costs={"CNY": 0})
    today = stats_service.own_summary(member, utc_now()).today
    assert (today.requests, today.total_tokens, today.costs) == (0, -150, {"CNY": -1000})
    assert ledger.unsound() == []
    assert usage_check_service.rebuild(Actor(None)) == 0
    assert usage_check_service.count_entries() == 2


@pytest.mark.unsound_ledger("a token that only the attempt names, or that it does not")
@pytest.mark.parametrize(
    ("channel", "of_entry", "of_attempt", "given_back_to"),
    [("api", None, "t1", "t1"), ("api", "t2", "t1", "t2"), ("api", None, None, None), ("chat", None, "t1", None)],
)
def test_a_refund_is_the_tokens_even_where_an_older_entry_does_not_name_it(
    member: User, channel: str, of_entry: str | None, of_attempt: str | None, given_back_to: str | None
) -> None:
    entry, _ = ledger.write(
        [ledger.entry(member.id, utc_now(), channel=channel, token_id=of_entry), ledger.entry(member.id, utc_now())]
    )
    with transaction() as session:
        session.execute(update(Attempt).where(Attempt.id == entry.attempt_id).values(token_id=of_attempt))
    refund_service.refund(HOUSE, entry.id, REASON)
    (refund,) = entries("refund")
    assert (refund.token_id, refund.duration_ms, refund.first_token_ms) == (given_back_to, 0, None)


def test_what_is_given_back_of_another_day_frees_nothing_of_today(member: User) -> None:
    """In the budgets of its own day it does: what was given back of this month can be used in it."""
    yesterday, bounds = datetime(2026, 11, 24, 4, tzinfo=UTC), Bounds(prompt=0, answer=1000)
    today = yesterday + timedelta(days=1)
    place = Place(scope="user", scope_id=member.id, period="day")
    by_day = budget_admin_service.add(HOUSE, place, 1000).standing.id
    by_month = budget_admin_service.add(HOUSE, replace(place, period="month"), 1500).standing.id
    calls.settle(calls.dispatch(calls.call_of(member.id), bounds, yesterday), 0, 900)
    (entry,) = entries("usage")
    refund_service.refund(HOUSE, entry.id, REASON, at=today)
    (refund,) = entries("refund")
    assert (refund.day, refund.quarter) == (entry.day, quarter_of(today))
    assert spent([by_day, by_month], today) == [0, 0]
    assert spent([by_day, by_month], yesterday) == [0, 0]
    calls.settle(calls.dispatch(calls.call_of(member.id), bounds, today), 0, 1000)
    assert spent([by_day, by_month], today) == [1000, 1000]
    with pytest.raises(BudgetExhausted):
        calls.dispatch(calls.call_of(member.id), bounds, today)


@pytest.mark.parametrize("scope", ["user", "site"])
def test_the_counter_of_a_day_that_something_was_given_back_of_is_mended(member: User, scope: str) -> None:
    moment = utc_now() - timedelta(days=40)
    written = [ledger.entry(member.id, moment, day=moment.date()) for _ in range(3)]
    refund_service.refund(HOUSE, ledger.write(written)[0].id, REASON)
    assert ledger.unsound() == []
    with transaction() as session:
        session.execute(update(SpentDaily).where(SpentDaily.scope == scope).values(amount=SpentDaily.amount + 1))
    assert len(ledger.unsound()) == 2, "in tokens and in money"
    usage_check_service.rebuild(Actor(None))
    with reading() as session:
        counted = session.scalars(select(SpentDaily.amount).where(SpentDaily.scope == scope)).all()
    assert sorted(counted) == [300, 2000]


def spent(budget_ids: list[str], now: datetime) -> list[int]:
    with reading() as session:
        found = budget_service.standings(session.connection(), budget_ids, now)
    return [found[budget_id].spent for budget_id in budget_ids]


def test_an_entry_without_a_price_gives_its_tokens_back(member: User) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, utc_now(), cost_micros=None, currency=None, peak=None)])
    refund_service.refund(HOUSE, entry.id, REASON)
    assert total(member) == Sum(requests=1, refunds=1)


def test_who_did_it_and_why_is_in_the_audit_log(member: User, admin: User) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, utc_now())])
    refund_service.refund(Actor(admin, "192.0.2.7"), entry.id, REASON)
    with reading() as session:
        (noted,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "usage.refund"))
    assert (noted.actor_id, noted.target, noted.address) == (admin.id, entry.id, "192.0.2.7")
    told = {"reason": REASON, "user_id": member.id, "tokens": 150, "cost_micros": 1000, "currency": "CNY"}
    (refund,) = entries("refund")
    assert json.loads(noted.details) == {"refund": refund.id, **told}


def test_twice_is_once_and_a_refund_is_not_refunded(member: User) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, utc_now())])
    refund_service.refund(HOUSE, entry.id, REASON)
    with pytest.raises(Conflict, match=r"^already_refunded$"):
        refund_service.refund(HOUSE, entry.id, REASON)
    (refund,) = entries("refund")
    with pytest.raises(Conflict, match=r"^not_refundable$"):
        refund_service.refund(HOUSE, refund.id, REASON)
    assert total(member).total_tokens == 0


def test_of_many_at_once_one_is_let_through(app: Flask, member: User) -> None:
    written = ledger.write(ledger.entry(member.id, utc_now()) for _ in range(4))

    def act(number: int) -> str:
        try:
            refund_service.refund(HOUSE, written[number % 4].id, REASON)
        except AppError as error:
            return error.code
        return "refunded"

    outcomes = at_once(24, act)
    assert sorted(map(str, outcomes)) == ["already_refunded"] * 20 + ["refunded"] * 4
    assert len(entries("refund")) == 4
    assert total(member) == Sum(requests=4, refunds=4, costs={"CNY": 0})
    assert usage_check_service.rebuild(Actor(None)) == 0


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "two\nlines"])
def test_a_reason_is_needed(member: User, reason: str) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, utc_now())])
    with pytest.raises(Invalid, match="bad_reason"):
        refund_service.refund(HOUSE, entry.id, reason)


def test_what_is_not_there_is_not_found(app: Flask) -> None:
    with pytest.raises(NotFound):
        refund_service.refund(HOUSE, "nothing", REASON)


@pytest.mark.each_case
@pytest.mark.unsound_ledger("a refund that is no opposite")
@pytest.mark.parametrize(
    "fields",
    [
        {"prompt_tokens": -99},
        {"cost_micros": -1},
        {"user_id": "other"},
        {"attempt_id": "another"},
        {"token_id": "another"},
        {"day": date(2020, 1, 1)},
        {"day": None},
    ],
    ids=str,
)
def test_a_refund_that_is_not_the_opposite_is_found(member: User, fields: dict[str, Any]) -> None:
    (entry,) = ledger.write([of_a_program(member)])
    refund_service.refund(HOUSE, entry.id, REASON)
    assert ledger.unsound() == []
    with transaction() as session:
        session.execute(update(TokenUsage).where(TokenUsage.kind == "refund").values(fields))
    (refund,) = entries("refund")
    assert ("refund that is not the opposite of a usage", refund.id) in [(f.what, f.where) for f in ledger.unsound()]


def of_a_program(person: User) -> TokenUsage:
    """Some time ago."""
    moment = utc_now() - timedelta(days=40)
    return ledger.entry(person.id, moment, day=moment.date(), channel="api", token_id="its")


def test_a_refund_as_versions_before_made_it_is_none(member: User) -> None:
    """They left the token to the attempt, and had it count on the day of its own moment."""
    (entry,) = ledger.write([of_a_program(member)])
    refund_service.refund(HOUSE, entry.id, REASON)
    (refund,) = entries("refund")
    as_before = {"token_id": None, "day": refund.created_at.date()}
    with transaction() as session:
        session.execute(update(TokenUsage).where(TokenUsage.kind == "refund").values(as_before))
    usage_check_service.rebuild(Actor(None))
    assert ledger.unsound() == []
    with reading() as session:
        of_token = select(SpentDaily.day, SpentDaily.amount).where(
            SpentDaily.scope == "token", SpentDaily.unit == "tokens"
        )
        counted = {row.day: row.amount for row in session.execute(of_token)}
    assert counted == {entry.day: 150, refund.created_at.date(): -150}


@pytest.mark.parametrize(
    ("fields", "provenance"),
    [
        ({}, "reported"),
        ({"outcome": "stopped"}, "reported"),
        ({"source": "estimated"}, "estimated"),
        ({"source": "estimated", "outcome": "interrupted"}, "partial"),
    ],
)
def test_a_record_says_where_its_figures_are_from(
    member: User, admin: User, fields: dict[str, Any], provenance: str
) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, utc_now(), **fields)])
    assert records_service.get(entry.id).provenance == provenance
    found = {
        name: [record.entry.id for record in records_service.search(admin, _wanted(name)).records]
        for name in record_search.PROVENANCES
    }
    assert found == {name: [entry.id] if name == provenance else [] for name in record_search.PROVENANCES}
    refund_service.refund(HOUSE, entry.id, REASON)
    assert records_service.get(entry.id).provenance == "refunded"
    both = records_service.search(admin, _wanted("refunded")).records
    assert [record.entry.kind for record in both] == ["refund", "usage"]
    assert records_service.search(admin, _wanted(provenance)).records == []


def _wanted(provenance: str) -> record_search.Filter:
    return record_search.Filter(provenance=provenance)
