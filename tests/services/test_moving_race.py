"""However many settle, release, give back, edit and mend at once, in two processes: each commit keeps the promise."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from flask_app.database import fetching, in_writing, reading, table_of, utc_now
from flask_app.domain import tariff
from flask_app.domain.events import Usage
from flask_app.models import DEFAULT_GROUP_ID, Attempt, SpentDaily, Tariff, TokenUsage, UsageHourly
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.tariffs import tariff_admin_service, tariff_service
from tests.conftest import MakeUser
from tests.support import calls, ledger, moving_race, price_race, rebuild_race
from tests.support.budget_race import BOUNDS, EACH
from tests.support.racing import CALLERS, raced

FIT = 12  # calls at once


@pytest.fixture
def people(make_user: MakeUser) -> list[str]:
    return [make_user(f"person {number}").id for number in range(20)]


def stands(balance: str) -> Standing:
    """The sums of one moment: all of them are read by one statement."""
    with fetching() as connection:
        (standing,) = budget_service.standings(connection, [balance], utc_now()).values()
    return standing


def sampled(balance: str, over: threading.Event) -> Iterator[Standing]:
    while not over.is_set():
        yield stands(balance)


def test_what_is_settled_and_reserved_never_passes_a_balance_that_moves_all_the_time(
    database_url: str, people: list[str]
) -> None:
    place = Place(scope="group", scope_id=DEFAULT_GROUP_ID, period="prepaid")
    balance = budget_admin_service.add(Actor(None), place, FIT * EACH, reason="paid").standing.id
    over = threading.Event()
    with ThreadPoolExecutor(1) as apart:
        samples = apart.submit(lambda: list(sampled(balance, over)))
        try:
            outcomes = raced("moving_race", database_url, balance, *people)
        finally:
            over.set()
        seen = samples.result()
    top_ups = 2 * CALLERS // moving_race.EVERY
    assert outcomes["topped up"] == top_ups
    assert outcomes.keys() == {"topped up", "refused", *(way.__name__ for way in moving_race.WAYS)}, "nobody may fail"
    assert [each for each in seen if each.spent + each.reserved > each.limit] == []
    assert len({(each.limit, each.spent, each.reserved) for each in seen}) > 20, "it was looked at while it moved"
    assert any(each.left < EACH for each in seen), "it was short"
    end = stands(balance)
    assert (end.limit, end.spent, end.reserved) == ((FIT + top_ups) * EACH, outcomes["settled"] * 160, 0)


def test_whoever_reserves_while_prices_are_edited_pays_the_price_of_that_moment(
    database_url: str, people: list[str]
) -> None:
    tariff_admin_service.add(Actor(None), "deepseek-flash", "CNY", price_race.price(1))

    outcomes = raced("price_race", database_url, "2", *people)
    edits = 2 * CALLERS // price_race.EVERY
    assert outcomes == {"edited": edits, "booked": 2 * CALLERS - edits}
    with reading() as session:
        prices = session.scalars(
            select(Tariff).where(Tariff.model == "deepseek-flash").order_by(Tariff.starts_at)
        ).all()
        joined = select(TokenUsage, Attempt).join(Attempt, Attempt.id == TokenUsage.attempt_id)
        booked = session.execute(joined).all()
    assert len(booked) == outcomes["booked"]
    assert len({entry.tariff_id for entry, _ in booked}) > 2, "prices changed meanwhile"
    for entry, attempt in booked:
        in_force = [price for price in prices if price.starts_at <= attempt.created_at][-1]
        assert entry.tariff_id == in_force.id
        used = Usage(entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens)
        assert entry.cost_micros == tariff.cost(used, tariff_service.prices_of(in_force, peak=False))
        tokens = entry.prompt_tokens + entry.completion_tokens
        assert entry.cost_micros == (tokens + 1) * in_force.request_price, "a token costs as much as a request"


def test_what_is_mended_while_answers_are_settled_is_right_afterwards(database_url: str, people: list[str]) -> None:
    for person in people:
        calls.settle(calls.dispatch(calls.call_of(person), BOUNDS), 50, 50)
    in_writing(lambda connection: connection.execute(update(table_of(UsageHourly)).values(requests=7)))
    in_writing(lambda connection: connection.execute(update(table_of(SpentDaily)).values(amount=7)))
    assert ledger.unsound(), "there is something to mend"
    outcomes = raced("rebuild_race", database_url, *people)
    mends = 2 * CALLERS // rebuild_race.EVERY
    assert outcomes == {"mended": mends, "booked": 2 * CALLERS - mends}
    assert ledger.unsound() == []
