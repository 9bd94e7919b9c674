"""Use as JSON: sums, days, groups, records."""

from datetime import date, datetime
from typing import Any

import msgspec

from flask_app.services.overview_service import Overview
from flask_app.services.records_service import Page, Record
from flask_app.services.stats_service import Group, Summary
from flask_app.services.sums import COUNTS, Sum, is_free
from flask_app.web.bodies import Reply


class Cost(Reply):
    """Millionths of a currency's unit."""

    currency: str
    micros: int


class SumReply(Reply):
    """Use added up. Cached tokens are part of the prompt's, reasoning tokens of the completion's."""

    requests: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    total_tokens: int
    estimated_requests: int
    unpriced_requests: int
    costs: list[Cost]


class DayReply(SumReply):
    date: date


class SummaryReply(Reply):
    """Use by the time zone's days: today, this week from Monday, this month, in all, and the last thirty days."""

    timezone: str
    today: SumReply
    week: SumReply
    month: SumReply
    total: SumReply
    days: list[DayReply]


class GroupReply(SumReply):
    """The use of one user, model, key or day; `key` is its id, empty for answers that needed no key."""

    key: str
    label: str


class GroupsReply(Reply):
    rows: list[GroupReply]


class Person(Reply):
    id: str
    username: str


class RecordReply(Reply):
    """An entry of the ledger. `user` is absent in one's own records; `cost_micros` is null without a price.

    `free`: the local model answered, which has no price because it costs nothing.
    """

    id: str
    created_at: datetime
    model: str
    actual_model: str | None
    provider: str | None
    key_label: str | None
    source: str
    outcome: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost_micros: int | None
    currency: str | None
    free: bool
    peak: bool | None
    first_token_ms: int | None
    duration_ms: int
    channel: str
    user: Person | msgspec.UnsetType = msgspec.UNSET


class RecordsReply(Reply):
    """`next` goes into `before` for the page after; null at the end."""

    records: list[RecordReply]
    next: str | None


class DashboardState(RecordsReply):
    """What the dashboard starts with."""

    summary: SummaryReply


class Choice(Reply):
    id: str
    label: str


class RecordsState(RecordsReply):
    """What the search for records starts with: the first page, and what can be chosen."""

    models: list[str]
    keys: list[Choice]


class OverviewReply(Reply):
    """`users` may sign in, `keys` can be asked; `demo`: only the local demonstration model answers.

    `keys_fail`: there are keys, and none of them opens any model now.
    """

    users: int
    online: int
    keys: int
    demo: bool
    keys_fail: bool
    timezone: str
    today: SumReply
    week: SumReply
    month: SumReply
    total: SumReply
    days: list[DayReply]


def sum_reply(part: Sum) -> SumReply:
    return SumReply(**_figures(part))


def summary_reply(summary: Summary) -> SummaryReply:
    return SummaryReply(
        timezone=summary.timezone,
        today=sum_reply(summary.today),
        week=sum_reply(summary.week),
        month=sum_reply(summary.month),
        total=sum_reply(summary.total),
        days=[DayReply(date=day, **_figures(part)) for day, part in summary.days.items()],
    )


def overview_reply(overview: Overview) -> OverviewReply:
    use = summary_reply(overview.use)
    return OverviewReply(
        users=overview.users,
        online=overview.online,
        keys=overview.keys,
        demo=overview.demo,
        keys_fail=overview.keys_fail,
        timezone=use.timezone,
        today=use.today,
        week=use.week,
        month=use.month,
        total=use.total,
        days=use.days,
    )


def groups_reply(groups: list[Group]) -> GroupsReply:
    return GroupsReply(rows=[GroupReply(key=group.key, label=group.label, **_figures(group.sum)) for group in groups])


def own_records_reply(page: Page) -> RecordsReply:
    return RecordsReply(records=[_record(record) for record in page.records], next=page.next)


def all_records_reply(page: Page) -> RecordsReply:
    records = [_record(record) for record in page.records]
    for reply, record in zip(records, page.records, strict=True):
        reply.user = Person(id=record.entry.user_id, username=record.username or "")
    return RecordsReply(records=records, next=page.next)


def _figures(part: Sum) -> dict[str, Any]:
    costs = [Cost(currency=currency, micros=micros) for currency, micros in sorted(part.costs.items())]
    return {name: getattr(part, name) for name in COUNTS} | {"total_tokens": part.total_tokens, "costs": costs}


_ENTRY_FIELDS = tuple(set(RecordReply.__struct_fields__) - {"user", "provider", "key_label", "total_tokens", "free"})


def _record(record: Record) -> RecordReply:
    entry = record.entry
    return RecordReply(
        provider=record.provider,
        key_label=record.key_label,
        total_tokens=entry.prompt_tokens + entry.completion_tokens,
        free=is_free(entry),
        **{name: getattr(entry, name) for name in _ENTRY_FIELDS},
    )
