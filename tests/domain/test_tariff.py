import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.events import Usage
from flask_app.domain.tariff import (
    Prices,
    cost,
    currency,
    dearest,
    decimal,
    micros,
    parts,
    request_micros,
    requests_price,
    saved_by_cache,
)
from flask_app.errors import Invalid

FLASH = Prices(20_000, 1_000_000, 4_000_000)
SEARCH = Prices(0, 0, 0, 5_000)

counts = st.integers(0, 10**9)
prices = st.builds(Prices, counts, counts, counts, counts)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    prompt, completion = draw(counts), draw(counts)
    return Usage(prompt, draw(st.integers(0, prompt)), completion, draw(st.integers(0, completion)))


# Worked out by hand: hit × ¥0.02 + miss × ¥1 + output × ¥4, each per million, in millionths of a yuan.
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(0, 0, 0, 0), 0),
        (Usage(1_000_000, 0, 0, 0), 1_000_000),
        (Usage(1_000_000, 1_000_000, 0, 0), 20_000),
        (Usage(0, 0, 1_000_000, 0), 4_000_000),
        (Usage(1000, 600, 500, 400), 12 + 400 + 2000),
        (Usage(24, 24, 0, 0), 0),  # 0.48 of a micro-unit
        (Usage(25, 25, 0, 0), 1),  # 0.50: half goes up
        (Usage(74, 74, 0, 0), 1),  # 1.48
        (Usage(75, 75, 0, 0), 2),  # 1.50
    ],
)
def test_cost_is_what_the_price_list_says(usage: Usage, expected: int) -> None:
    assert cost(usage, FLASH) == expected


@pytest.mark.parametrize(
    ("usage", "priced", "expected"),
    [
        (Usage(0, 0, 0, 0), SEARCH, 5_000),
        (Usage(1000, 600, 500, 400), SEARCH, 5_000),
        (Usage(1000, 600, 500, 400), Prices(20_000, 1_000_000, 4_000_000, 7), 12 + 400 + 2000 + 7),
        (Usage(24, 24, 0, 0), Prices(20_000, 0, 0, 1), 1),
        (Usage(25, 25, 0, 0), Prices(20_000, 0, 0, 1), 2),
    ],
)
def test_a_request_costs_its_price_beside_what_its_tokens_do(usage: Usage, priced: Prices, expected: int) -> None:
    assert cost(usage, priced) == expected


def test_a_request_costs_nothing_of_its_own_where_nobody_said_so() -> None:
    assert FLASH.request == 0


def test_the_dearest_is_of_each_kind_for_itself() -> None:
    assert dearest([Prices(1, 20, 300, 7), Prices(9, 8, 400, 6), Prices(2, 2, 2, 2)]) == Prices(9, 20, 400, 7)


@given(usages(), prices)
def test_cost_is_within_half_a_micro_unit_of_the_exact_sum(usage: Usage, priced: Prices) -> None:
    missed = usage.prompt_tokens - usage.cached_tokens
    exact = usage.cached_tokens * priced.input_hit + missed * priced.input_miss
    exact += usage.completion_tokens * priced.output + priced.request * 1_000_000
    assert -1_000_000 < 2 * (cost(usage, priced) * 1_000_000 - exact) <= 1_000_000


@given(usages(), prices)
def test_the_parts_of_a_cost_add_up_to_it(usage: Usage, priced: Prices) -> None:
    cached, other, output, request = parts(usage, priced)
    assert cached + other + output + request == cost(usage, priced)
    assert request == priced.request
    assert cached + request == cost(Usage(usage.cached_tokens, usage.cached_tokens, 0, 0), priced)
    assert abs(output * 1_000_000 - usage.completion_tokens * priced.output) <= 1_000_000


def test_what_the_cache_saves_is_the_difference_of_the_prices() -> None:
    assert saved_by_cache(Usage(1_000_000, 600_000, 500, 0), FLASH) == 600_000 - 12_000
    assert saved_by_cache(Usage(1_000_000, 0, 500, 0), FLASH) == 0
    assert saved_by_cache(Usage(0, 0, 0, 0), SEARCH) == 0


@given(usages(), usages(), prices)
def test_use_never_gives_money_back(usage: Usage, more: Usage, priced: Prices) -> None:
    both = Usage(*(getattr(usage, name) + getattr(more, name) for name in Usage.__struct_fields__))
    assert 0 <= cost(usage, priced) <= cost(both, priced)


@given(usages(), prices)
def test_thinking_is_not_paid_twice(usage: Usage, priced: Prices) -> None:
    silent = Usage(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, 0)
    assert cost(usage, priced) == cost(silent, priced)


@pytest.mark.parametrize(
    ("written", "expected", "shown"),
    [
        ("0", 0, "0"),
        ("1", 1_000_000, "1"),
        ("0.02", 20_000, "0.02"),
        ("13.50", 13_500_000, "13.5"),
        (" 0.0028 ", 2_800, "0.0028"),
        ("0.000001", 1, "0.000001"),
        ("100", 100_000_000, "100"),
        ("999999999.999999", 999_999_999_999_999, "999999999.999999"),
    ],
)
def test_a_price_is_exact_both_ways(written: str, expected: int, shown: str) -> None:
    assert micros(written) == expected
    assert decimal(expected) == shown


def test_what_is_owed_has_a_sign() -> None:
    assert [decimal(owed) for owed in (-500_000, -1, -3_000_000)] == ["-0.5", "-0.000001", "-3"]


@given(st.integers(0, 10**15 - 1))
def test_a_price_that_is_shown_can_be_entered(price: int) -> None:
    assert micros(decimal(price)) == price


@pytest.mark.parametrize(
    "written",
    ["", "-1", "+1", "1,5", ".5", "1.", "1e3", "0.0000001", "NaN", "inf", "1 000", "１", "1000000000", "0x1", "1.5\n2"],
)
def test_what_is_no_price_is_refused(written: str) -> None:
    with pytest.raises(Invalid) as refused:
        micros(written)
    assert (refused.value.code, refused.value.params) == ("bad_price", {"price": written})


@pytest.mark.parametrize(
    ("written", "expected", "shown"),
    [("5", 5_000, "5"), ("0.75", 750, "0.75"), ("0.001", 1, "0.001"), ("0", 0, "0"), (" 1.5000 ", 1_500, "1.5")],
)
def test_the_price_of_a_thousand_requests_is_exact_both_ways(written: str, expected: int, shown: str) -> None:
    assert request_micros(written) == expected
    assert requests_price(expected) == shown


@pytest.mark.parametrize("written", ["0.0001", "0.7505", "5.000001", " 122222222.3333  "])
def test_a_request_costs_whole_micro_units(written: str) -> None:
    with pytest.raises(Invalid) as refused:
        request_micros(written)
    assert (refused.value.code, refused.value.params) == ("bad_request_price", {"price": written.strip()})


def test_a_currency_is_three_letters() -> None:
    assert currency(" usd ") == "USD"
    for wrong in ("", "US", "USDT", "U$D", "ＵＳＤ"):
        with pytest.raises(Invalid, match="bad_currency"):
            currency(wrong)
