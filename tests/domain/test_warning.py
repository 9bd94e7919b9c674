"""When it is time to warn."""

import pytest

from flask_app.domain import budget, warning
from flask_app.domain.budget import LEAST_TOKENS
from flask_app.domain.warning import ALL, ALMOST


@pytest.mark.parametrize(
    ("used", "share"),
    [
        (0, None),
        (799_999, None),
        (800_000, ALMOST),
        (999_663, ALMOST),
        (999_664, ALL),
        (1_000_000, ALL),
        (2_000_000, ALL),
    ],
)
def test_tokens_that_no_message_fits_into_are_used_up(used: int, share: int | None) -> None:
    assert warning.share_used(limit=1_000_000, full=1_000_000, used=used, least=LEAST_TOKENS) == share


@pytest.mark.parametrize(("used", "share"), [(799, None), (800, ALMOST), (999, ALMOST), (1000, ALL), (1001, ALL)])
def test_what_only_warns_is_used_up_at_the_limit(used: int, share: int | None) -> None:
    least = budget.least_left("CNY", hard=False, costs={"CNY": 593})
    assert warning.share_used(limit=1000, full=1000, used=used, least=least) == share


@pytest.mark.parametrize(("used", "share"), [(9_407, ALMOST), (9_408, ALL), (10_000, ALL)])
def test_money_that_pays_no_message_is_used_up(used: int, share: int | None) -> None:
    least = budget.least_left("CNY", hard=True, costs={"CNY": 593, "USD": 9_999})
    assert warning.share_used(limit=10_000, full=10_000, used=used, least=least) == share


@pytest.mark.parametrize(
    ("limit", "full", "used", "share"),
    [
        (5000, 1000, 4000, None),  # topped up to 1000 when 4000 had been used
        (5000, 1000, 4800, ALMOST),
        (5000, 1000, 5000, ALL),
        (0, 0, 0, None),  # never topped up
        (4000, 0, 4000, None),  # all that was left has been taken back
    ],
)
def test_a_balance_is_measured_by_its_last_top_up(limit: int, full: int, used: int, share: int | None) -> None:
    assert warning.share_used(limit=limit, full=full, used=used, least=1) == share


@pytest.mark.parametrize(
    ("sums", "available", "threshold", "share"),
    [
        ([100], True, 100, None),
        ([99], True, 100, ALMOST),
        ([1, 500], True, 100, None),
        ([1, 50], True, 100, ALMOST),
        ([500], False, 100, ALL),
        ([], False, 100, ALL),
        ([], True, 100, None),
        ([0], True, 0, None),
        ([-5], True, 0, ALMOST),
    ],
)
def test_an_account_is_low_where_no_sum_of_it_reaches_the_threshold(
    sums: list[int], available: bool, threshold: int, share: int | None
) -> None:
    assert warning.share_gone(sums, available=available, threshold=threshold) == share


def test_pauses_grow_to_an_hour_and_vary() -> None:
    assert [warning.pause_after(tries, lambda: 0.0) for tries in (1, 2, 3, 7, 100)] == [60, 120, 240, 3600, 3600]
    assert warning.pause_after(1, lambda: 0.999) == 74
