"""Sums from the ledger: days of every time zone, and the same figures wherever they are shown."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from flask_app.database import transaction
from flask_app.errors import BadRequest
from flask_app.models import Attempt, TokenUsage, UsageHourly, User
from flask_app.services.usage import breakdown_service, stats_service
from flask_app.services.usage.stats_service import DateRange
from flask_app.services.usage.sums import Sum
from tests.conftest import MakeUser
from tests.support import ledger

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)  # a Wednesday, 12:00 in Beijing


def requests(*sums: Sum) -> list[int]:
    return [part.requests for part in sums]


@pytest.mark.each_case
@pytest.mark.parametrize(
    ("local", "today", "week", "month"),
    [
        ("2026-11-25T00:00:00", 1, 1, 1),
        ("2026-11-24T23:59:59", 0, 1, 1),
        ("2026-11-23T00:00:00", 0, 1, 1),  # Monday
        ("2026-11-22T23:59:59", 0, 0, 1),  # Sunday belongs to the week before
        ("2026-11-01T00:00:00", 0, 0, 1),
        ("2026-10-31T23:59:59", 0, 0, 0),
    ],
)
def test_periods_begin_at_local_midnight(member: User, local: str, today: int, week: int, month: int) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    ledger.write([ledger.entry(member.id, moment)])
    summary = stats_service.own_summary(member, NOON)
    assert summary.timezone == "Asia/Shanghai"
    assert requests(summary.today, summary.week, summary.month, summary.total) == [today, week, month, 1]


def test_the_day_is_the_persons_own(make_user: MakeUser) -> None:
    nepali = make_user("nepali", timezone="Asia/Kathmandu")
    midnight = datetime(2026, 11, 24, 18, 15, tzinfo=UTC)  # 00:00 at UTC+05:45
    ledger.write([ledger.entry(nepali.id, midnight), ledger.entry(nepali.id, midnight - timedelta(seconds=1))])
    summary = stats_service.own_summary(nepali, NOON)
    assert requests(summary.today, summary.days[date(2026, 11, 24)]) == [1, 1]


def test_a_day_of_25_hours_holds_all_of_them_and_one_of_23_no_more(make_user: MakeUser) -> None:
    person = make_user("new yorker", timezone="America/New_York")
    long_day, short_day = datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 3, 8, 5, tzinfo=UTC)
    for start in (long_day, short_day):
        ledger.write(ledger.entry(person.id, start + timedelta(hours=hour)) for hour in range(-1, 27))
    days = {
        group.key: group.sum.requests
        for first in (date(2026, 10, 31), date(2026, 3, 7))
        for group in breakdown_service.site(person, "day", DateRange(first, first + timedelta(days=2)), NOON)
    }
    assert [days[day] for day in ("2026-10-31", "2026-11-01", "2026-11-02")] == [1, 25, 2]
    assert [days[day] for day in ("2026-03-07", "2026-03-08", "2026-03-09")] == [1, 23, 4]


def test_thirty_days_are_shown_none_left_out(member: User) -> None:
    ledger.write([ledger.entry(member.id, NOON - timedelta(days=29))])
    days = stats_service.own_summary(member, NOON).days
    assert list(days) == [date(2026, 10, 27) + timedelta(days=n) for n in range(30)]
    assert days[date(2026, 10, 27)].requests == 1


def test_the_whole_month_counts_on_its_31st_day(member: User) -> None:
    ledger.write([ledger.entry(member.id, datetime(2026, 7, 1, 4, tzinfo=UTC))])
    assert stats_service.own_summary(member, datetime(2026, 7, 31, 4, tzinfo=UTC)).month.requests == 1


def test_what_has_no_price_and_what_is_estimated_is_counted_apart(member: User) -> None:
    ledger.write(
        [
            ledger.entry(member.id, NOON),
            ledger.entry(member.id, NOON, cost_micros=7, currency="USD", source="estimated"),
            ledger.entry(member.id, NOON, cost_micros=None, currency=None, key_id="a key"),
        ]
    )
    today = stats_service.own_summary(member, NOON).today
    assert (today.requests, today.unpriced_requests, today.estimated_requests) == (3, 1, 1)
    assert today.costs == {"CNY": 1000, "USD": 7}
    assert (today.prompt_tokens, today.cached_tokens) == (300, 180)
    assert (today.completion_tokens, today.reasoning_tokens, today.total_tokens) == (150, 60, 450)


def test_sums_beyond_32_bits_are_exact(member: User) -> None:
    ledger.write(ledger.entry(member.id, NOON, prompt_tokens=2**31 - 1, cost_micros=2**49 + 1) for _ in range(4))
    today = stats_service.own_summary(member, NOON).today
    assert today.prompt_tokens == 4 * (2**31 - 1)
    assert today.costs == {"CNY": 4 * (2**49 + 1)}


ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": st.sampled_from(["amina", "bo"]),
            "minutes_ago": st.integers(0, 60 * 24 * 45),
            "model": st.sampled_from(["deepseek-flash", "deepseek-v4-pro"]),
            "key_id": st.sampled_from([None, "key one", "key two"]),
            "source": st.sampled_from(["reported", "estimated"]),
            "prompt_tokens": st.integers(0, 10**6),
            "completion_tokens": st.integers(0, 10**6),
            "price": st.sampled_from([(None, None), (0, "CNY"), (123_456_789, "CNY"), (987, "USD")]),
        }
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=ENTRIES, zone=st.sampled_from(["Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Pacific/Apia"]))
def test_own_page_admin_page_and_ledger_agree(app: Flask, drawn: list[dict[str, Any]], zone: str) -> None:
    """The three are added up differently: by quarter and person, by label, and here in plain Python."""
    with transaction() as session:
        for table in (TokenUsage, UsageHourly, Attempt):
            session.execute(delete(table))
    entries = ledger.write(_entry(dict(fields)) for fields in drawn)
    people = {name: User(id=name, username=name, timezone=zone) for name in ("amina", "bo")}
    own = {name: stats_service.own_summary(person, NOON) for name, person in people.items()}
    reader = people["bo"]
    site = stats_service.site_summary(reader, NOON)

    for name, summary in own.items():
        assert summary.total == _plain(entry for entry in entries if entry.user_id == name)
        for day, part in summary.days.items():
            assert part == _plain(e for e in entries if e.user_id == name and _local_day(e, zone) == day)
    assert site.total == _plain(entries) == Sum.of(summary.total for summary in own.values())
    assert site.month == _plain(e for e in entries if _local_day(e, zone) >= date(2026, 11, 1))

    by_user = {group.key: group.sum for group in breakdown_service.site(reader, "user", DateRange(), NOON)}
    assert by_user == {name: summary.total for name, summary in own.items() if summary.total.requests}
    for by in ("model", "key"):
        assert Sum.of(group.sum for group in breakdown_service.site(reader, by, DateRange(), NOON)) == site.total
    ranged = DateRange(date(2026, 11, 3), date(2026, 11, 20))
    expected = _plain(e for e in entries if date(2026, 11, 3) <= _local_day(e, zone) <= date(2026, 11, 20))
    for by in breakdown_service.SITE:
        assert Sum.of(group.sum for group in breakdown_service.site(reader, by, ranged, NOON)) == expected


def _entry(fields: dict[str, Any]) -> TokenUsage:
    fields["cost_micros"], fields["currency"] = fields.pop("price")
    fields["cached_tokens"], fields["reasoning_tokens"] = fields["prompt_tokens"] // 3, fields["completion_tokens"] // 2
    return ledger.entry(fields.pop("user_id"), NOON - timedelta(minutes=fields.pop("minutes_ago")), **fields)


def _local_day(entry: TokenUsage, zone: str) -> date:
    return entry.created_at.astimezone(ZoneInfo(zone)).date()


def _plain(entries: Any) -> Sum:
    whole = Sum()
    for entry in entries:
        whole.requests += 1
        for name in ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"):
            setattr(whole, name, getattr(whole, name) + getattr(entry, name))
        whole.estimated_requests += entry.source == "estimated"
        whole.unpriced_requests += entry.cost_micros is None and entry.key_id is not None
        if entry.cost_micros is not None:
            whole.costs[entry.currency] = whole.costs.get(entry.currency, 0) + entry.cost_micros
    return whole


def test_groups_carry_names_and_come_largest_first(admin: User, make_user: MakeUser) -> None:
    small, large = make_user("small"), make_user("large")
    ledger.write(ledger.entry(user.id, NOON) for user in (small, large, large))
    groups = breakdown_service.site(admin, "user", DateRange(), NOON)
    assert [(group.label, group.sum.requests) for group in groups] == [("large", 2), ("small", 1)]


def test_what_the_local_model_answers_is_free_and_not_unpriced(member: User) -> None:
    ledger.write([ledger.entry(member.id, NOON, model="SmolLM2", cost_micros=None, currency=None)])
    total = stats_service.own_summary(member, NOON).total
    assert (total.requests, total.unpriced_requests, total.costs) == (1, 0, {})


def test_answers_without_a_key_are_a_group_of_their_own(admin: User) -> None:
    ledger.write([ledger.entry(admin.id, NOON)])
    assert [(group.key, group.label) for group in breakdown_service.site(admin, "key", DateRange(), NOON)] == [("", "")]


@pytest.mark.parametrize(
    ("by", "dates", "code"),
    [
        ("colour", DateRange(), "unknown_grouping"),
        ("user", DateRange(date(2026, 11, 2), date(2026, 11, 1)), "backwards_range"),
        ("day", DateRange(date(2026, 11, 2), date(2026, 11, 1)), "backwards_range"),
        ("day", DateRange(date(2016, 1, 1), date(2026, 11, 1)), "range_too_long"),
    ],
)
def test_a_question_without_sense_is_refused(admin: User, by: str, dates: DateRange, code: str) -> None:
    with pytest.raises(BadRequest, match=code):
        breakdown_service.site(admin, by, dates, NOON)


def test_the_number_of_queries_does_not_grow(admin: User, make_user: MakeUser, query_count: Callable[[], Any]) -> None:
    def ask() -> None:
        stats_service.own_summary(admin, NOON)
        for by in breakdown_service.SITE:
            breakdown_service.site(admin, by, DateRange(), NOON)

    with query_count() as few:
        ask()
    people = [make_user(f"person {number}") for number in range(10)]
    ledger.write(ledger.entry(person.id, NOON - timedelta(hours=n)) for person in people for n in range(20))
    with query_count() as many:
        ask()
    assert len(many) == len(few) == 10
