"""Reports of a range: its sums, the time before, where the price came from, and bars that add up to it."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event

from flask_app.database import engine, fetching, new_id, transaction
from flask_app.errors import BadRequest
from flask_app.models import Attempt, TokenUsage, UsageHourly, User
from flask_app.services.usage import breakdown_service, report_service
from flask_app.services.usage.stats_service import DateRange
from flask_app.services.usage.sums import Sum
from tests.conftest import MakeUser
from tests.support import ledger

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)  # a Wednesday, 12:00 in Beijing
ZONES = ["Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Pacific/Apia"]


def at(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def test_without_days_the_last_thirty_are_shown(member: User) -> None:
    ledger.write([ledger.entry(member.id, at("2026-10-27T00:00")), ledger.entry(member.id, at("2026-10-26T23:59"))])
    report = report_service.own(member, DateRange(), NOON)
    assert (report.days.first, report.days.last) == (date(2026, 10, 27), date(2026, 11, 25))
    assert (report.whole.sum.requests, report.before.requests, report.unit, len(report.bars)) == (1, 0, "day", 30)
    report = report_service.own(member, DateRange(), NOON + timedelta(hours=12))
    assert (report.days.first, report.before.requests) == (date(2026, 10, 28), 2), "the next day"


@pytest.mark.parametrize(("moment", "is_before"), [("09-30T23:59", 0), ("10-07T00:00", 1), ("10-31T23:59", 0)])
def test_a_range_that_goes_on_is_compared_up_to_the_same_time(member: User, moment: str, is_before: int) -> None:
    ledger.write([ledger.entry(member.id, at(f"2026-{moment}"))])
    report = report_service.own(member, DateRange(date(2026, 11, 1), date(2026, 11, 25)), NOON)
    assert report.ongoing
    assert (report.days_before.first, report.days_before.last) == (date(2026, 10, 7), date(2026, 10, 31))
    assert report.before.requests == is_before


def test_a_range_that_is_over_is_compared_with_all_of_the_days_before(member: User) -> None:
    ledger.write([ledger.entry(member.id, at("2026-10-31T23:59"))])
    report = report_service.own(member, DateRange(date(2026, 11, 1), date(2026, 11, 24)), NOON)
    assert not report.ongoing
    assert report.before.requests == 1


@pytest.mark.parametrize(
    ("asked", "now", "moment", "is_before"),
    [
        ("2026-03-08", "2026-03-12T12:00", "2026-03-07T23:30", 1),  # a day of 23 hours, after one of 24
        ("2026-11-02", "2026-11-05T12:00", "2026-11-01T23:30", 1),  # after one of 25
        ("2026-03-08", "2026-03-08T12:00", "2026-03-07T11:59", 1),  # up to the same time of the day before
        ("2026-03-08", "2026-03-08T12:00", "2026-03-07T12:30", 0),
    ],
)
def test_days_are_compared_by_local_clocks(
    make_user: MakeUser, asked: str, now: str, moment: str, is_before: int
) -> None:
    person = make_user("eve", timezone="America/New_York")
    zone, day = ZoneInfo("America/New_York"), date.fromisoformat(asked)
    ledger.write([ledger.entry(person.id, datetime.fromisoformat(moment).replace(tzinfo=zone).astimezone(UTC))])
    here = datetime.fromisoformat(now).replace(tzinfo=zone).astimezone(UTC)
    assert report_service.own(person, DateRange(day, day), here).before.requests == is_before


def test_a_range_to_come_has_nothing_in_it_and_nothing_before(member: User) -> None:
    ledger.write([ledger.entry(member.id, NOON)])
    report = report_service.own(member, DateRange(date(2026, 11, 26)), NOON)
    assert (report.days.last, report.whole.sum, report.before) == (date(2026, 11, 26), Sum(), Sum())


def test_what_the_cache_saved_and_the_peak_cost_stands_by_currency(member: User, make_user: MakeUser) -> None:
    ledger.write(
        [
            ledger.entry(member.id, NOON, peak=True, peak_extra_micros=40),
            ledger.entry(member.id, NOON, currency="USD", cache_saved_micros=7),
            ledger.entry(member.id, NOON, peak=None, currency=None, cost_micros=None, cache_saved_micros=0),
            ledger.entry(make_user("other").id, NOON, peak=True, peak_extra_micros=1),
        ]
    )
    own, site = (
        report_service.own(member, DateRange(), NOON).whole,
        report_service.site(member, DateRange(), NOON).whole,
    )
    assert (own.peak_tokens, own.sum.total_tokens) == (150, 450)
    assert (own.cache_saved, own.peak_extra) == ({"CNY": 300, "USD": 7}, {"CNY": 40, "USD": 0})
    assert (site.peak_tokens, site.cache_saved["CNY"], site.peak_extra["CNY"]) == (300, 600, 41)


@pytest.mark.parametrize(
    ("first", "last", "unit", "count"),
    [("11-25", "11-25", "hour", 24), ("08-26", "11-25", "day", 92), ("08-25", "11-25", "month", 4)],
)
def test_bars_are_as_wide_as_the_range_is_long(member: User, first: str, last: str, unit: str, count: int) -> None:
    dates = DateRange(date.fromisoformat(f"2026-{first}"), date.fromisoformat(f"2026-{last}"))
    report = report_service.own(member, dates, NOON)
    assert (report.unit, len(report.bars)) == (unit, count)


def test_all_begins_with_the_first_use(member: User, make_user: MakeUser) -> None:
    ledger.write(
        [ledger.entry(member.id, at("2026-03-09T00:00")), ledger.entry(make_user("x").id, at("2025-01-01T08:00"))]
    )
    assert report_service.own(member, DateRange(), NOON).presets["all"].first == date(2026, 3, 9)
    assert report_service.site(member, DateRange(), NOON).presets["all"].first == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        (DateRange(date(2026, 11, 2), date(2026, 11, 1)), "backwards_range"),
        (DateRange(date(2010, 1, 1), date(2026, 11, 1)), "range_too_long"),
    ],
)
def test_a_range_without_sense_is_refused(member: User, dates: DateRange, code: str) -> None:
    for ask in (report_service.own, report_service.site):
        with pytest.raises(BadRequest, match=code):
            ask(member, dates, NOON)


def test_an_hour_is_what_local_clocks_show(make_user: MakeUser) -> None:
    nepali = make_user("nepali", timezone="Asia/Kathmandu")
    ledger.write([ledger.entry(nepali.id, datetime(2026, 11, 24, 18, minute, tzinfo=UTC)) for minute in (14, 15)])
    dates = DateRange(date(2026, 11, 24), date(2026, 11, 25))
    for parts in (
        breakdown_service.own(nepali, "hour", dates, NOON),
        breakdown_service.site(nepali, "hour", dates, NOON),
    ):
        assert {part.label: part.sum.requests for part in parts if part.sum.requests} == {"23:00": 1, "00:00": 1}
        assert len(parts) == 24


ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": st.sampled_from(["amina", "bo"]),
            "minutes_ago": st.integers(0, 60 * 24 * 45),
            "model": st.sampled_from(["deepseek-flash", "deepseek-v4-pro"]),
            "channel": st.sampled_from(["chat", "api"]),
            "peak": st.sampled_from([None, False, True]),
            "prompt_tokens": st.integers(60, 10**6),
            "cache_saved_micros": st.integers(0, 10**6),
            "peak_extra_micros": st.integers(-5, 10**6),
        }
    ),
    max_size=25,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=ENTRIES, zone=st.sampled_from(ZONES), first=st.integers(1, 12), last=st.integers(13, 25))
def test_a_report_its_parts_and_the_ledger_agree(
    app: Flask, drawn: list[dict[str, Any]], zone: str, first: int, last: int
) -> None:
    with transaction() as session:
        for table in (TokenUsage, UsageHourly, Attempt):
            session.execute(delete(table))
    entries = ledger.write(
        ledger.entry(each.pop("user_id"), NOON - timedelta(minutes=each.pop("minutes_ago")), **each) for each in drawn
    )
    dates = DateRange(date(2026, 11, first), date(2026, 11, last))
    amina = User(id="amina", username="amina", timezone=zone)
    for told, groupings, mine in (
        (report_service.own, breakdown_service.OWN, True),
        (report_service.site, breakdown_service.SITE, False),
    ):
        report = told(amina, dates, NOON)
        within = [
            entry
            for entry in entries
            if dates.first <= entry.created_at.astimezone(ZoneInfo(zone)).date() <= dates.last  # type: ignore[operator]
            and (entry.user_id == "amina" or not mine)
        ]
        assert report.whole.sum.requests == len(within)
        assert report.whole.sum.total_tokens == sum(e.prompt_tokens + e.completion_tokens for e in within)
        assert report.whole.peak_tokens == sum(e.prompt_tokens + e.completion_tokens for e in within if e.peak)
        assert report.whole.cache_saved.get("CNY", 0) == sum(entry.cache_saved_micros for entry in within)
        assert report.whole.peak_extra.get("CNY", 0) == sum(entry.peak_extra_micros for entry in within)
        assert Sum.of(bar.sum for bar in report.bars) == report.whole.sum
        ask = breakdown_service.own if mine else breakdown_service.site
        for by in groupings:
            assert Sum.of(part.sum for part in ask(amina, by, dates, NOON)) == report.whole.sum, by
        for part in ask(amina, "hour", dates, NOON):
            shown = [e for e in within if e.created_at.astimezone(ZoneInfo(zone)).hour == int(part.key)]
            assert part.sum.requests == len(shown)


def test_a_group_has_the_use_of_who_is_in_it_now(admin: User, make_user: MakeUser) -> None:
    in_group, gone = make_user("in the group"), "0" * 26
    ledger.write([ledger.entry(in_group.id, NOON), ledger.entry(admin.id, NOON), ledger.entry(gone, NOON)])
    parts = breakdown_service.site(admin, "group", DateRange(), NOON)
    assert sorted((part.key, part.sum.requests) for part in parts) == [("", 1), (in_group.group_id, 2)]


def test_a_large_group_is_added_up_before_it_is_read(admin: User) -> None:
    """MariaDB cuts what it puts together after a megabyte: some thousands of people in one group would not fit."""
    asked: list[tuple[str, Any]] = []

    def keep(*given: Any) -> None:
        if "json_arrayagg" in given[2].lower() or "json_group_array" in given[2].lower():
            asked.append((given[2], given[3]))

    ledger.write(ledger.entry(new_id(), NOON, currency=currency) for currency in ("CNY", "USD") for _ in range(20))
    event.listen(engine(), "before_cursor_execute", keep)
    (part,) = breakdown_service.site(admin, "group", DateRange(), NOON)
    event.remove(engine(), "before_cursor_execute", keep)
    assert (part.sum.requests, part.sum.costs) == (40, {"CNY": 20_000, "USD": 20_000})
    ((statement, values),) = asked
    with fetching() as connection:
        pieces = connection.exec_driver_sql(statement, values).scalars().all()
    assert sum(len(json.loads(piece)) for piece in pieces) == 2


def test_the_number_of_queries_does_not_grow(admin: User, make_user: MakeUser, query_count: Callable[[], Any]) -> None:
    def ask() -> None:
        report_service.own(admin, DateRange(), NOON)
        report_service.site(admin, DateRange(), NOON)
        for by in breakdown_service.OWN:
            breakdown_service.own(admin, by, DateRange(), NOON)

    with query_count() as few:
        ask()
    people = [make_user(f"person {number}") for number in range(10)]
    ledger.write(ledger.entry(person.id, NOON - timedelta(hours=n)) for person in people for n in range(20))
    with query_count() as many:
        ask()
    assert len(many) == len(few) == 2 * 4 + len(breakdown_service.OWN)
