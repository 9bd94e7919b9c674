"""Budgets in money: what holds how much of which currency, where models have no price too."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction, utc_now, writing
from flask_app.domain import budget
from flask_app.domain.budget import Hold, Worst
from flask_app.errors import BudgetExhausted
from flask_app.models import Attempt, User
from flask_app.services.budgets import budget_service
from flask_app.services.budgets.budget_service import Asked
from flask_app.services.completion.attempts import Bounds
from flask_app.services.tariffs import tariff_service
from tests.support import calls, ledger, prices
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.keys import keep_provider
from tests.support.limits import LEAST, PROMPT, ask, limit, own
from tests.support.scripted_upstream import Answer, Received, ScriptedUpstream, Usage
from tests.support.storage import counted_statements
from tests.support.upstream_reply import Reply
from tests.support.warned import use


def test_money_of_another_currency_is_not_concerned(member_client: PageClient) -> None:
    limit(0, unit="USD")
    assert ask(member_client).status_code == 200
    limit(0, unit="CNY")
    assert ask(member_client).status_code == 429


class _AsLongAsAsked:
    """A model that has a price answers, with as many tokens as it may."""

    def play(self, reply: Reply, request: Received) -> None:
        usage = Usage(prompt=PROMPT, completion=request.body["max_tokens"])
        Answer("one", usage=usage, actual_model="deepseek-flash").play(reply, request)


def asked(currency: str = "CNY", model: str = "without-a-price") -> Asked:
    return Asked(user_id=new_id(), model=model, currency=currency, prompt=PROMPT, answer=budget.MIN_ANSWER)


def reserve(what: Asked) -> Hold:
    """What would be held; it is taken back."""
    with transaction() as session:
        hold = budget_service.reserve(session.connection(), what, utc_now()).hold
        session.rollback()
        return hold


def test_a_model_without_a_price_holds_what_the_dearest_would_cost(app: Flask) -> None:
    """Another model may answer in its place, and that one costs something."""
    hold = reserve(asked())
    with reading() as session:
        prices = tariff_service.dearest("CNY", utc_now(), session.connection())
    assert (hold.tokens, hold.micros, hold.currency) == (LEAST, Worst(PROMPT, budget.MIN_ANSWER, prices).micros, "CNY")
    limit(1, unit="CNY")
    with pytest.raises(BudgetExhausted):
        reserve(asked())


def test_what_holds_nobody_up_costs_one_look(member: User) -> None:
    """The price comes with it. One who is gone takes a second look, and is held up all the same."""
    what = Asked(user_id=member.id, model="deepseek-flash", currency="CNY", prompt=PROMPT, answer=budget.MIN_ANSWER)
    limit(1, unit="CNY", hard=False)
    limit(9, unit="USD", scope="user", scope_id=member.id, hard=False)
    with writing() as connection, counted_statements() as statements:
        reserved = budget_service.reserve(connection, what, now := utc_now())
    assert len(statements) == 1
    assert reserved.hold.group_id == member.group_id
    with reading() as session:
        assert reserved.priced == tariff_service.price(what.model, what.currency, now, session.connection())
    limit(1, unit="tokens")
    for person in (member.id, new_id()):
        with pytest.raises(BudgetExhausted):
            reserve(replace(what, user_id=person))


def test_where_nothing_has_a_price_in_a_currency_no_money_is_held_until_none_is_left(app: Flask) -> None:
    keep_provider("other", "https://other.example.com", currency="EUR")
    limit(1, unit="EUR")
    hold = reserve(asked("EUR"))
    assert (hold.tokens, hold.micros, hold.currency) == (LEAST, None, None)
    limit(0, unit="EUR", period="week")
    with pytest.raises(BudgetExhausted):
        reserve(asked("EUR"))


def test_what_nobody_bills_is_not_concerned_by_money(app: Flask) -> None:
    limit(0, unit="CNY")
    hold = reserve(asked(""))
    assert (hold.tokens, hold.micros, hold.currency) == (LEAST, None, None)


def test_no_money_is_passed_where_a_priced_model_answers_for_one_without(
    app: Flask,
    member: User,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bill was never reserved before: the budget was passed, and nothing said so."""
    monkeypatch.setattr(upstream, "models", ["nobody-knows-its-price"])
    limit(100_000, scope="user", scope_id=member.id, unit="CNY")
    upstream.script(*[_AsLongAsAsked()] * 20)
    assert ask(member_client).status_code == 200
    while (asked := ask(member_client)).status_code == 200:
        (listed,) = own(member_client)
        assert 0 < listed["used"] <= 100_000
        assert listed["reserved"] == 0
    assert error_code(asked) == "budget_exhausted"
    said = app.test_cli_runner().invoke(args=["usage", "verify"])
    assert (said.exit_code, "counted more" in said.output) == (0, False)


@pytest.mark.unsound_ledger("an attempt of an older version")
def test_money_that_nobody_had_reserved_is_said(app: Flask, member: User) -> None:
    """As versions before this one let pass."""
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=PROMPT, answer=budget.MIN_ANSWER))
    with transaction() as session:
        session.execute(update(Attempt).values(currency=None, reserved_micros=None))
    calls.settle(sent, 10, 20)
    said = app.test_cli_runner().invoke(args=["usage", "verify"])
    assert said.output.splitlines()[0].startswith("Of 1 entries the provider counted more than it was asked for.")


def test_a_dearer_model_that_answers_for_one_with_a_price_is_booked_as_it_bills_and_said(
    app: Flask, member: User
) -> None:
    """What every model might be taken for is not set aside for the cheapest."""
    prices.put("cheap", 1)
    prices.put("dear", 10)
    sent = calls.dispatch(calls.call_of(member.id, model="cheap"), Bounds(prompt=PROMPT, answer=budget.MIN_ANSWER))
    assert sent.hold.micros == LEAST
    calls.settle(sent, PROMPT, budget.MIN_ANSWER, actual_model="dear")
    assert [entry.cost_micros for entry in ledger.entries()] == [10 * LEAST]
    said = app.test_cli_runner().invoke(args=["usage", "verify"])
    assert said.output.splitlines()[0].startswith("Of 1 entries the provider counted more than it was asked for.")


def test_money_is_used_up_when_it_pays_no_message(
    member: User, member_client: PageClient, admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert ask(admin_client).status_code == 200
    prices.put("deepseek-flash", 1)
    limit(2_000, scope="user", scope_id=member.id, unit="CNY")
    for used, state in ((2_000 - budget.LEAST_TOKENS, "low"), (1, "exhausted")):
        use(member, 1, cost_micros=used)
        assert [each["state"] for each in own(member_client)] == [state]
        (listed,) = admin_client.get("/api/admin/budgets").json["budgets"]  # type: ignore[index]
        assert listed["state"] == state
    assert error_code(ask(member_client, "x")) == "budget_exhausted"


def test_money_shortens_an_answer_too(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    limit(10_000, unit="CNY")  # a fen: at most 2,500 tokens of an answer, at peak hours half of it
    assert ask(member_client).status_code == 200
    sent = upstream.journal.last.body["max_tokens"]
    with reading() as session:
        attempt = session.scalars(select(Attempt)).one()
    assert budget.MIN_ANSWER < sent < 2_500
    assert attempt.max_tokens == sent
    assert attempt.reserved_tokens == PROMPT + sent
    assert attempt.currency == "CNY"
    assert attempt.reserved_micros
    assert 9_990 < attempt.reserved_micros <= 10_000
