"""Periods in days, and how much an answer may use at most."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain import budget, tariff
from flask_app.domain.budget import Days, Worst
from flask_app.domain.events import Usage, estimate_tokens
from flask_app.domain.tariff import Prices

PRICE = st.integers(0, 10**9)
PRICES = st.builds(Prices, PRICE, PRICE, PRICE, st.integers(0, 10**6))
TOKENS = st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("period", "day", "days"),
    [
        ("day", date(2026, 11, 25), Days(date(2026, 11, 25), date(2026, 11, 25))),
        ("week", date(2026, 11, 25), Days(date(2026, 11, 23), date(2026, 11, 29))),
        ("week", date(2026, 11, 23), Days(date(2026, 11, 23), date(2026, 11, 29))),
        ("week", date(2027, 1, 1), Days(date(2026, 12, 28), date(2027, 1, 3))),
        ("month", date(2026, 11, 30), Days(date(2026, 11, 1), date(2026, 11, 30))),
        ("month", date(2028, 2, 1), Days(date(2028, 2, 1), date(2028, 2, 29))),
        ("month", date(2026, 12, 31), Days(date(2026, 12, 1), date(2026, 12, 31))),
    ],
)
def test_a_period_is_the_days_around_a_day(period: str, day: date, days: Days) -> None:
    assert budget.days_of(period, day) == days


@given(st.lists(st.text(), max_size=5))
def test_the_bound_is_above_any_count_of_the_prompt(messages: list[str]) -> None:
    bound = budget.prompt_bound(messages)
    assert bound >= sum(len(message.encode()) for message in messages)
    assert bound >= sum(estimate_tokens(message) for message in messages)


@given(PRICES, TOKENS, TOKENS, st.data())
def test_no_usage_within_the_tokens_costs_more_than_the_worst_case(
    prices: Prices, prompt: int, answer: int, data: st.DataObject
) -> None:
    used = data.draw(st.integers(0, prompt))
    cached, written = data.draw(st.integers(0, used)), data.draw(st.integers(0, answer))
    most = Worst(prompt, answer, prices).micros
    assert most is not None
    assert tariff.cost(Usage(used, cached, written, 0), prices) <= most


@given(PRICES, TOKENS, TOKENS, st.integers(-(10**6), 10**9), st.booleans())
def test_the_longest_answer_fits_and_a_longer_one_does_not(
    prices: Prices, prompt: int, answer: int, left: int, money: bool
) -> None:
    worst = Worst(prompt, answer, prices)
    longest = budget.longest_answer(worst, left, money=money)

    def needs(length: int) -> int:
        least = Worst(prompt, length, prices)
        return (least.micros or 0) if money else least.tokens

    assert longest <= answer
    if longest >= 0:
        assert needs(longest) <= left
    if longest < answer:
        assert needs(max(longest, -1) + 1) > left


@given(PRICES, st.integers(0, 10**9))
def test_what_is_used_up_pays_no_message_and_a_micro_unit_more_pays_the_shortest(prices: Prices, left: int) -> None:
    shortest = Worst(budget.prompt_bound(["x"]), budget.MIN_ANSWER, prices)
    least = budget.least_left("CNY", hard=True, costs={"CNY": budget.least_cost(prices)})
    pays = budget.longest_answer(shortest, left, money=True) >= budget.MIN_ANSWER
    assert pays is (left >= least)


@given(st.lists(PRICES, min_size=1, max_size=4), st.data(), TOKENS, TOKENS)
def test_whichever_model_answers_it_costs_no_more_than_the_dearest_of_all(
    every: list[Prices], data: st.DataObject, prompt: int, answer: int
) -> None:
    actual = data.draw(st.sampled_from(every))
    cached = data.draw(st.integers(0, prompt))
    most = Worst(prompt, answer, tariff.dearest(every)).micros
    assert most is not None
    assert tariff.cost(Usage(prompt, cached, answer, 0), actual) <= most


def test_what_uses_no_tokens_sets_aside_what_its_request_costs_and_no_micro_unit_more() -> None:
    search = Worst(0, 0, Prices(0, 0, 0, 5_000))
    assert (search.tokens, search.micros) == (0, 5_000)
    assert [budget.longest_answer(search, left, money=True) for left in (5_000, 4_999)] == [0, -1]
    assert budget.longest_answer(search, 0, money=False) == 0


def test_the_shortest_message_sets_aside_its_request_too() -> None:
    prices = Prices(1_000_000, 1_000_000, 1_000_000)
    assert budget.least_cost(prices) == budget.LEAST_TOKENS
    assert budget.least_cost(Prices(1_000_000, 1_000_000, 1_000_000, 7)) == budget.LEAST_TOKENS + 7
    assert Worst(1, 0, Prices(1, 1, 1, 7)).micros == 8, "a part of a micro-unit is a whole one"


def test_what_has_no_price_is_bounded_by_tokens_and_not_asked_where_no_money_is_left() -> None:
    worst = Worst(100, 1000, None)
    assert worst.micros is None
    assert budget.longest_answer(worst, 1, money=True) == 1000
    assert budget.longest_answer(worst, 0, money=True) < 0
    assert budget.longest_answer(worst, 300, money=False) == 200
