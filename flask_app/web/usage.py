"""Use as JSON: sums, days, groups, records."""

from datetime import date
from typing import Any

from flask_app.services.overview_service import Overview
from flask_app.services.stats_service import Group, Summary
from flask_app.services.sums import COUNTS, Sum
from flask_app.web.bodies import Reply
from flask_app.web.budgets import BudgetReply
from flask_app.web.groups import GroupName
from flask_app.web.records import RecordsReply


class Cost(Reply):
    """Millionths of a currency's unit."""

    currency: str
    micros: int


class SumReply(Reply):
    """Use added up, less what was refunded in the same time. Cached tokens are part of the prompt's, reasoning tokens
    of the completion's."""

    requests: int
    refunds: int
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


class DashboardState(RecordsReply):
    """What the dashboard starts with."""

    summary: SummaryReply
    budgets: list[BudgetReply]


class Choice(Reply):
    id: str
    label: str


class RecordsState(RecordsReply):
    """What the search for records starts with: the first page, and what can be chosen."""

    groups: list[GroupName]
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


def _figures(part: Sum) -> dict[str, Any]:
    costs = [Cost(currency=currency, micros=micros) for currency, micros in sorted(part.costs.items())]
    return {name: getattr(part, name) for name in COUNTS} | {"total_tokens": part.total_tokens, "costs": costs}
