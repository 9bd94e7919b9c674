"""Did a provider take from an account what the ledger has booked? One currency, from one reading to the next.

    start - end == booked + drift + what was set aside

Between two readings the balance must fall by what was booked. What falls beside that is drift, unless something else
than use has moved the balance, or may have: then the difference is set aside under a name, and is no drift.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

GAP = timedelta(hours=2)  # readings further apart have one missing between them
LAG = timedelta(minutes=5)  # within which a provider may take what an answer cost
ROUNDING = 20_000  # micro-units: both readings are rounded to hundredths

# Why a difference is no drift, in the order in which the reasons are looked for.
REASONS = ("currency_changed", "other_currency", "keys_changed", "credited", "gap", "expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was left at a moment, in micro-units: `granted` and `topped_up` are parts of `total`.

    `keys` shared the account then. `told` are all the currencies that the provider named; the reading's own need not
    be among them, and is 0 then.
    """

    at: datetime
    total: int
    granted: int
    topped_up: int
    keys: frozenset[str]
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class Booking:
    """What the ledger has for an answer that ended `at` some moment."""

    at: datetime
    key: str
    currency: str
    micros: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """The most that may differ: the greater of `absolute` micro-units and so many thousandths of what was booked."""

    absolute: int
    permille: int

    def allows(self, booked: int) -> int:
        return max(self.absolute, booked * self.permille // 1000)


@dataclass(slots=True, kw_only=True)
class Comparison:
    """All amounts are micro-units. `booked` is by key. Positive drift: the provider took more than was booked.

    `aside` are the differences that are no drift, by their reason. `slack` is what was booked so shortly before a
    reading that the provider may have taken it after.
    """

    currency: str
    since: datetime
    until: datetime
    start: int
    end: int
    booked: dict[str, int]
    aside: dict[str, int] = field(default_factory=dict)
    drift: int = 0
    slack: int = 0

    @property
    def total_booked(self) -> int:
        return sum(self.booked.values())

    def exceeds(self, threshold: Threshold) -> bool:
        return exceeds(self.drift, self.total_booked, self.slack, threshold)

    def alarms(self, threshold: Threshold, known: int | None = None) -> bool:
        return alarms(self.drift, self.total_booked, self.slack, threshold, known)


def alarms(drift: int, booked: int, slack: int, threshold: Threshold, known: int | None) -> bool:
    """Is the drift more than may be, and not as it was when somebody acknowledged it? `known` is what it was then."""
    is_new = known is None or exceeds(drift - known, booked, slack, threshold)
    return exceeds(drift, booked, slack, threshold) and is_new


def exceeds(drift: int, booked: int, slack: int, threshold: Threshold) -> bool:
    return abs(drift) > threshold.allows(booked) + slack


def compare(currency: str, readings: Sequence[Reading], bookings: Iterable[Booking]) -> Comparison:
    """From the first to the last of two or more readings, which are in order of time."""
    bookings = sorted(bookings, key=lambda each: each.at)
    moments = [each.at for each in bookings]
    first, last = readings[0], readings[-1]
    keys = sorted(frozenset[str]().union(*(reading.keys for reading in readings)))
    found = Comparison(
        currency=currency,
        since=first.at,
        until=last.at,
        start=first.total,
        end=last.total,
        booked=dict.fromkeys(keys, 0),
    )
    edges = dict[datetime, int]()  # of each run of readings that can be compared
    for before, after in pairwise(readings):
        within = bookings[bisect_right(moments, before.at) : bisect_right(moments, after.at)]
        own = [each for each in within if each.currency == currency]
        for each in own:
            found.booked[each.key] = found.booked.get(each.key, 0) + each.micros
        difference = before.total - after.total - sum(each.micros for each in own)
        if reason := _reason(currency, before, after, within, difference):
            found.aside[reason] = found.aside.get(reason, 0) + difference
        else:
            found.drift += difference
            edges[before.at] = edges.get(before.at, 0) + 1
            edges[after.at] = edges.get(after.at, 0) - 1
    ends = [moment for moment, sign in edges.items() if sign]
    found.slack = sum(_just_before(moment, currency, bookings) for moment in ends)
    return found


def _reason(currency: str, before: Reading, after: Reading, within: Sequence[Booking], difference: int) -> str | None:
    """Why the difference is no drift; None where it is."""
    booked = sum(each.micros for each in within if each.currency == currency)
    topped_up_fell = before.topped_up - after.topped_up
    tests: Mapping[str, bool] = {
        "currency_changed": (currency in before.told) != (currency in after.told),
        "other_currency": any(each.currency not in before.told | after.told for each in within),
        "keys_changed": before.keys != after.keys,
        "credited": any(getattr(after, part) > getattr(before, part) for part in ("total", "granted", "topped_up")),
        "gap": after.at - before.at > GAP,
        "expired": after.granted == 0 < before.granted
        and difference > ROUNDING
        and topped_up_fell <= booked + ROUNDING,
    }
    return next((reason for reason in REASONS if tests[reason]), None)


def _just_before(moment: datetime, currency: str, bookings: Iterable[Booking]) -> int:
    return sum(each.micros for each in bookings if each.currency == currency and moment - LAG < each.at <= moment)
