"""A balance against the ledger, from reading to reading: a table worked out by hand, and what holds of everything."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.reconciliation import GAP, LAG, Booking, Reading, Threshold, compare

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
UNIT = 1_000_000


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def reading(minutes: float, granted: float, topped_up: float, **fields: Any) -> Reading:
    parts = [round(part * UNIT) for part in (granted + topped_up, granted, topped_up)]
    total, of_grants, paid = parts
    usual: dict[str, Any] = {"keys": frozenset({"a"}), "told": frozenset({"CNY"})}
    return Reading(at=at(minutes), total=total, granted=of_grants, topped_up=paid, **(usual | fields))


def booking(minutes: float, amount: float, key: str = "a", currency: str = "CNY") -> Booking:
    return Booking(at(minutes), key, currency, round(amount * UNIT))


BOTH = frozenset({"CNY", "USD"})
# What happened: readings as (minute, granted, topped up), bookings as (minute, amount); then drift and what is set
# aside, in units of the currency, by hand.
TABLE: dict[str, tuple[list[Any], list[Any], float, dict[str, float]]] = {
    "nothing": ([(0, 0, 10), (30, 0, 10)], [], 0, {}),
    "all that fell was booked": ([(0, 0, 10), (30, 0, 9.5), (60, 0, 9)], [(10, 0.5), (40, 0.3), (55, 0.2)], 0, {}),
    "first from the grant": ([(0, 1, 10), (30, 0, 9.5)], [(10, 1.5)], 0, {}),
    "of which one was forgotten": ([(0, 0, 10), (30, 0, 9.5), (60, 0, 9)], [(10, 0.5), (40, 0.3)], 0.2, {}),
    "booked, and not taken": ([(0, 0, 10), (30, 0, 10)], [(10, 0.5)], -0.5, {}),
    "taken half an hour later than it ended": ([(0, 0, 10), (30, 0, 10), (60, 0, 9.5)], [(29, 0.5)], 0, {}),
    "a top-up": ([(0, 0, 10), (30, 0, 109.5), (60, 0, 109)], [(10, 0.5), (40, 0.5)], 0, {"credited": -100}),
    "a top-up, and drift after it": ([(0, 0, 10), (30, 0, 110), (60, 0, 109)], [(40, 0.5)], 0.5, {"credited": -100}),
    "a grant": ([(0, 0, 10), (30, 5, 10)], [], 0, {"credited": -5}),
    "a grant in the shape of paid money": ([(0, 5, 10), (30, 0, 15)], [], 0, {"credited": 0}),
    "a grant that expires": ([(0, 5, 10), (30, 0, 9.75)], [(20, 0.25)], 0, {"expired": 5}),
    "a grant that is used up": ([(0, 0.5, 10), (30, 0, 10)], [], 0, {"expired": 0.5}),
    "a grant used to its last, rounded": ([(0, 0.5, 10), (30, 0, 10)], [(20, 0.496)], 0.004, {}),
    "a part of the grant": ([(0, 5, 10), (30, 3, 10)], [], 2, {}),
    "more than the grant": ([(0, 5, 10), (30, 0, 9)], [], 6, {}),
    "a reading is missing": ([(0, 0, 10), (121, 0, 9), (150, 0, 8)], [(130, 0.5)], 0.5, {"gap": 1}),
    "just not missing": ([(0, 0, 10), (120, 0, 9)], [], 1, {}),
    "a debt": ([(0, 0, 0.1), (30, 0, -0.4)], [(10, 0.5)], 0, {}),
}


@pytest.mark.parametrize("case", TABLE)
def test_a_day_comes_to_what_was_worked_out_by_hand(case: str) -> None:
    readings, bookings, drift, aside = TABLE[case]
    found = compare("CNY", [reading(*each) for each in readings], [booking(*each) for each in bookings])
    assert found.drift == round(drift * UNIT)
    assert found.aside == {reason: round(amount * UNIT) for reason, amount in aside.items()}
    assert found.total_booked == sum(booking(*each).micros for each in bookings)


def test_what_ends_in_the_moment_of_a_reading_is_before_it() -> None:
    found = compare("CNY", [reading(0, 0, 10), reading(30, 0, 9)], [booking(0, 5), booking(30, 1), booking(30.1, 5)])
    assert (found.drift, found.booked) == (0, {"a": UNIT})


def test_keys_of_an_account_are_told_apart() -> None:
    keys = frozenset({"a", "b", "idle"})
    readings = [reading(0, 0, 10, keys=keys), reading(30, 0, 9, keys=keys)]
    found = compare("CNY", readings, [booking(1, 0.25, "a"), booking(2, 0.25, "b"), booking(3, 0.5, "a")])
    assert (found.drift, found.booked) == (0, {"a": 750_000, "b": 250_000, "idle": 0})


def test_an_account_whose_keys_changed_is_not_compared_meanwhile() -> None:
    after = {"keys": frozenset({"a", "b"})}
    found = compare("CNY", [reading(0, 0, 10), reading(30, 0, 9, **after), reading(60, 0, 8, **after)], [])
    assert (found.drift, found.aside) == (UNIT, {"keys_changed": UNIT})


def test_a_currency_that_comes_or_goes_is_said() -> None:
    readings = [reading(0, 0, 0, told=frozenset({"USD"})), reading(30, 0, 3, told=BOTH), reading(60, 0, 2, told=BOTH)]
    found = compare("CNY", readings, [booking(40, 1)])
    assert (found.drift, found.aside) == (0, {"currency_changed": -3 * UNIT})


def test_use_in_a_currency_that_the_provider_does_not_name_is_said() -> None:
    readings = [reading(0, 0, 10), reading(30, 0, 9), reading(60, 0, 8)]
    found = compare("CNY", readings, [booking(10, 7, currency="USD"), booking(40, 1)])
    assert (found.drift, found.aside, found.total_booked) == (0, {"other_currency": UNIT}, UNIT)


def test_use_in_another_currency_of_the_account_is_no_use_of_this_one() -> None:
    readings = [reading(0, 0, 10, told=BOTH), reading(30, 0, 9, told=BOTH)]
    found = compare("CNY", readings, [booking(10, 7, currency="USD"), booking(20, 1)])
    assert (found.drift, found.aside) == (0, {})


def test_only_what_was_booked_shortly_before_an_end_of_what_is_compared_may_be_late() -> None:
    readings = [reading(minutes, 0, 10) for minutes in (0, 30, 60)]
    times = [-4, 26, 54, 58]
    found = compare("CNY", readings, [booking(minutes, 0.1) for minutes in times])
    assert found.slack == 200_000, "four minutes before the first and two before the last; those in the middle even out"
    topped_up = [reading(0, 0, 10), reading(30, 0, 10), reading(60, 0, 99)]
    assert compare("CNY", topped_up, [booking(minutes, 0.1) for minutes in times]).slack == 200_000
    assert timedelta(minutes=4) < LAG


@pytest.mark.parametrize(
    ("drift", "booked", "slack", "over"),
    [
        (100_000, 0, 0, False),
        (100_001, 0, 0, True),
        (-100_001, 0, 0, True),
        (1_000_000, 100_000_000, 0, False),
        (1_000_001, 100_000_000, 0, True),
        (150_000, 1_000_000, 50_000, False),
        (150_001, 1_000_000, 50_000, True),
    ],
)
def test_the_greater_of_both_parts_may_differ_and_what_may_be_late(
    drift: int, booked: int, slack: int, over: bool
) -> None:
    found = compare("CNY", [reading(0, 0, 500), reading(30, 0, 500)], [])
    found.drift, found.booked, found.slack = drift, {"a": booked}, slack
    threshold = Threshold(absolute=100_000, permille=10)
    assert found.exceeds(threshold) is found.alarms(threshold) is over
    assert found.alarms(threshold, known=drift) is False, "it is as it was when somebody acknowledged it"
    assert found.alarms(threshold, known=-drift) is over


AMOUNTS = st.integers(-(10**12), 10**12)
READINGS = st.lists(st.tuples(st.integers(1, 300), AMOUNTS, AMOUNTS, st.sampled_from(["a", "ab"])), min_size=2)
BOOKINGS = st.lists(st.tuples(st.integers(-10, 3000), st.sampled_from("ab"), st.sampled_from(["CNY", "USD"]), AMOUNTS))


@given(READINGS, BOOKINGS)
def test_nothing_is_lost_between_both_ends(steps: list[Any], entries: list[Any]) -> None:
    minute, readings = 0, []
    for wait, granted, topped_up, keys in steps:
        minute += wait
        parts = {"total": granted + topped_up, "granted": granted, "topped_up": topped_up}
        readings.append(Reading(at=at(minute), keys=frozenset(keys), told=frozenset({"CNY"}), **parts))
    bookings = [Booking(at(minutes), key, currency, micros) for minutes, key, currency, micros in entries]
    found = compare("CNY", readings, bookings)
    assert found.start - found.end == found.total_booked + found.drift + sum(found.aside.values())
    inside = [each for each in bookings if readings[0].at < each.at <= readings[-1].at and each.currency == "CNY"]
    assert found.total_booked == sum(each.micros for each in inside)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 10**9)), min_size=1), st.integers(0, 10**9))
def test_a_provider_that_takes_what_is_booked_has_no_drift_and_one_more_has_that(
    steps: list[tuple[int, int]], forgotten: int
) -> None:
    left, minute = 10**15, 0
    readings = [reading(0, 0, left / UNIT)]
    bookings = []
    for wait, cost in steps:
        minute += wait
        left -= cost
        bookings.append(Booking(at(minute), "a", "CNY", cost))
        readings.append(reading(minute, 0, left / UNIT))
    assert compare("CNY", readings, bookings).drift == 0
    late = reading(minute + 1, 0, (left - forgotten) / UNIT)
    assert compare("CNY", [*readings, late], bookings).drift == forgotten
    assert late.at - readings[-1].at < GAP
