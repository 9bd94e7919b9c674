"""Days, months and hours of every kind of time zone are added up from the roll-up as they are from the ledger."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from flask_app.database import reading
from flask_app.domain import periods
from flask_app.domain.ranges import Days
from flask_app.models import TokenUsage, User
from flask_app.services.usage import breakdown_service, local_days, slices
from flask_app.services.usage.stats_service import DateRange
from flask_app.services.usage.sums import Sum
from tests.support import ledger

Key = TypeVar("Key")

FIRST, LAST = datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 6, 20, tzinfo=UTC)  # clocks change, both ways
DAYS = Days(date(2026, 1, 25), date(2026, 6, 10))  # with 32 days of the roll-up between the changes
# Whole hours, halves, quarters; Lord Howe changes its clocks by half an hour.
ZONES = [
    "Asia/Shanghai",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "UTC",
]


def test_clocks_of_every_zone(app: Flask) -> None:
    random, span = Random(1), LAST - FIRST
    moments = [FIRST + random.random() * span for _ in range(1200)]
    entries = ledger.write(ledger.entry(random.choice("ab"), moment, prompt_tokens=101) for moment in moments)
    for name in ZONES:
        for user_id in (None, "a"):
            _check(ZoneInfo(name), user_id, [entry for entry in entries if user_id in {None, entry.user_id}])


def test_a_few_entries_are_told_apart_by_day_month_and_currency(app: Flask) -> None:
    random = Random(2)
    moments = [FIRST + random.random() * (LAST - FIRST) for _ in range(120)]
    kinds = [(user_id, currency) for user_id in "ab" for currency in ("CNY", "USD")]
    entries = ledger.write(
        ledger.entry(kind[0], at, currency=kind[1]) for at, kind in zip(moments, kinds * 30, strict=True)
    )
    for name in ("Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati"):
        for user_id in (None, "a", "b"):
            expected = Counter[tuple[date, str]]()
            for entry in entries:
                day = entry.created_at.astimezone(ZoneInfo(name)).date()
                if user_id in {None, entry.user_id} and DAYS.first <= day <= DAYS.last:
                    expected[day, str(entry.currency)] += 1000
            with reading() as session:
                by_day = local_days.by_day(session, ZoneInfo(name), DAYS, user_id)
                by_month = local_days.by_month(session, ZoneInfo(name), DAYS, user_id)
            assert _costs(by_day) == expected
            of_months = Counter[tuple[date, str]]()
            for (day, currency), micros in expected.items():
                of_months[periods.first_of_month(day), currency] += micros
            assert _costs(by_month) == of_months


@pytest.mark.parametrize("first", [date(2026, 1, 25), date(2026, 2, 3), date(2026, 5, 20)])
def test_who_used_what_is_made_of_blocks_added_and_taken_away(app: Flask, first: date) -> None:
    """Whoever used nothing within the days is not told, though blocks that are taken away in part have their use."""
    days = Days(first, date(2026, 6, 5))
    random, outside = Random(3), datetime(2026, 1, 22, 12, tzinfo=UTC)
    moments = [FIRST + random.random() * (LAST - FIRST) for _ in range(120)]
    entries = [ledger.entry(random.choice("ab"), at, model=random.choice("xy")) for at in moments]
    entries = ledger.write([*entries, ledger.entry("c", outside, model="z", currency="USD")])
    for name in ("Asia/Kathmandu", "America/New_York", "UTC"):
        zone = ZoneInfo(name)
        within = [each for each in entries if days.first <= each.created_at.astimezone(zone).date() <= days.last]
        for by, name_of in (("user", "user_id"), ("model", "model")):
            found = breakdown_service.site(User(timezone=name), by, DateRange(days.first, days.last), LAST)
            counted = Counter[str](getattr(entry, name_of) for entry in within)
            assert {part.key: part.sum.requests for part in found} == counted
            costs = {key: {"CNY": 1000 * count} for key, count in counted.items()}
            assert {part.key: part.sum.costs for part in found} == costs
        own = breakdown_service.own(User(id="a", timezone=name), "model", DateRange(days.first, days.last), LAST)
        assert {part.key: part.sum.requests for part in own} == Counter(
            entry.model for entry in within if entry.user_id == "a"
        )


def _costs(sums: Mapping[date, Sum]) -> Counter[tuple[date, str]]:
    return Counter({(day, currency): micros for day, part in sums.items() for currency, micros in part.costs.items()})


def _check(zone: ZoneInfo, user_id: str | None, entries: list[TokenUsage]) -> None:
    days = DAYS
    local = [entry.created_at.astimezone(zone) for entry in entries]
    within = [moment for moment in local if days.first <= moment.date() <= days.last]
    assert len(within) < len(local), "some must be outside"
    with reading() as session:
        by_day = local_days.by_day(session, zone, days, user_id)
        by_month = local_days.by_month(session, zone, days, user_id)
        by_hour = slices.by_hour(session, zone, days, user_id)
    assert _requests(by_day) == Counter(moment.date() for moment in within)
    assert _requests(by_month) == Counter(periods.first_of_month(moment.date()) for moment in within)
    assert _requests(by_hour) == Counter(moment.hour for moment in within)
    assert list(by_day) == [days.first + timedelta(days=n) for n in range(len(days))]
    for sums in (by_day.values(), by_month.values(), by_hour.values()):
        assert Sum.of(sums).prompt_tokens == 101 * len(within)


def _requests(sums: Mapping[Key, Sum]) -> Counter[Key]:
    return Counter({key: part.requests for key, part in sums.items() if part.requests})


def test_what_is_moved_over_midnight_leaves_nothing_behind(app: Flask) -> None:
    before, after = (datetime(2026, 3, 10, hour, tzinfo=UTC) for hour in (10, 19))
    ledger.write([ledger.entry("a", before, currency="CNY"), ledger.entry("a", after, currency="USD")])
    for name in ("Asia/Shanghai", "Asia/Kathmandu"):
        for user_id in (None, "a"):
            with reading() as session:
                found = local_days.by_day(session, ZoneInfo(name), Days(date(2026, 3, 9), date(2026, 3, 12)), user_id)
            asked = {day.day: (part.requests, part.costs) for day, part in found.items()}
            nothing = (0, dict[str, int]())
            assert asked == {9: nothing, 10: (1, {"CNY": 1000}), 11: (1, {"USD": 1000}), 12: nothing}
