"""Days, months and hours of every kind of time zone are added up from the roll-up as they are from the ledger."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Flask

from flask_app.database import reading
from flask_app.domain import periods
from flask_app.domain.ranges import Days
from flask_app.models import TokenUsage
from flask_app.services import slices
from flask_app.services.sums import Sum
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


def _check(zone: ZoneInfo, user_id: str | None, entries: list[TokenUsage]) -> None:
    days = DAYS
    local = [entry.created_at.astimezone(zone) for entry in entries]
    within = [moment for moment in local if days.first <= moment.date() <= days.last]
    assert len(within) < len(local), "some must be outside"
    with reading() as session:
        by_day = slices.by_day(session, zone, days, user_id)
        by_month = slices.by_month(session, zone, days, user_id)
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
                found = slices.by_day(session, ZoneInfo(name), Days(date(2026, 3, 9), date(2026, 3, 12)), user_id)
            asked = {day.day: (part.requests, part.costs) for day, part in found.items()}
            nothing = (0, dict[str, int]())
            assert asked == {9: nothing, 10: (1, {"CNY": 1000}), 11: (1, {"USD": 1000}), 12: nothing}
