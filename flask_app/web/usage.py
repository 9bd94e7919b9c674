"""Use as JSON: sums, days, groups, records."""

from datetime import date
from typing import Any

import msgspec
from flask import g

from flask_app import config
from flask_app.domain.ranges import Days
from flask_app.models import DEFAULT_GROUP_ID, Group
from flask_app.services.people import group_service
from flask_app.services.site.overview_service import Overview
from flask_app.services.tokens.token_use_service import TokenUse
from flask_app.services.usage.breakdown_service import Part
from flask_app.services.usage.report_service import Report
from flask_app.services.usage.stats_service import Summary
from flask_app.services.usage.sums import COUNTS, Sum
from flask_app.web.bodies import Reply
from flask_app.web.budgets import BudgetReply, budget_reply
from flask_app.web.groups import GroupName
from flask_app.web.records import RecordsReply
from flask_app.web.system import CheckReply, TroubledKeyReply, check_reply, troubled_reply


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
    """The use of one user, group, model, channel, key, hour (0 to 23), day or month. `key` is its id, empty for answers
    that needed no key and people who are in no group."""

    key: str
    label: str


class GroupsReply(Reply):
    rows: list[GroupReply]


class TokenUseReply(Reply):
    """What was asked for with an access token in days of the site's time zone; nothing of before tokens were counted.

    `label` is the token's name, for administrators with its person's; the `key` where its person has left.
    """

    key: str
    label: str
    total_tokens: int
    costs: list[Cost]


class TokensUseReply(Reply):
    rows: list[TokenUseReply]


class DaysReply(Reply):
    """Local days, both within."""

    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")


class BeforeReply(DaysReply):
    """What a range is compared with."""

    sum: SumReply


class ReportReply(DaysReply):
    """Use in a range. `before`: as many days before; where the range is `ongoing`, up to the same time of it.

    `peak_tokens` were used at peak prices, which made them dearer by `peak_extra`; the providers' caches took
    `cache_saved` off. `bars` are the hours, days or months, as `unit` says.
    """

    timezone: str
    sum: SumReply
    before: BeforeReply
    ongoing: bool
    peak_tokens: int
    cache_saved: list[Cost]
    peak_extra: list[Cost]
    unit: str
    bars: list[GroupReply]
    presets: dict[str, DaysReply]


class Choice(Reply):
    id: str
    label: str


class DashboardState(RecordsReply):
    """What the dashboard starts with. `expected` is how many records fit, where that is known without reading them;
    `models` and `tokens` are what they can be searched by."""

    summary: SummaryReply
    report: ReportReply
    budgets: list[BudgetReply]
    codes: bool
    models: list[str]
    tokens: list[Choice]
    expected: int | None


class RecordsState(RecordsReply):
    """What the search for records starts with: the first page, how many fit where that is known, what can be chosen."""

    groups: list[GroupName]
    models: list[str]
    keys: list[Choice]
    tokens: list[Choice]
    expected: int | None


class OverviewReply(Reply):
    """`users` may sign in, `keys` can be asked; `demo`: only the local demonstration model answers.

    `waiting`: people whom an administrator may let in.
    `drifts`: days on which a provider's balance and the ledger differ, which nobody has acknowledged.
    `keys_fail`: there are keys, and none of them opens any model now. `troubled`: those that need attention.
    `attempts`: requests to providers that began today and have ended, of many the latest thousand; `failed`: those of
    them that ended with an error.
    `budgets`: those of the whole site. `schema`: has the database the tables that this `version` needs?
    """

    users: int
    online: int
    keys: int
    waiting: int
    drifts: int
    demo: bool
    keys_fail: bool
    troubled: list[TroubledKeyReply]
    attempts: int
    failed: int
    budgets: list[BudgetReply]
    version: str
    schema: CheckReply
    timezone: str
    today: SumReply
    week: SumReply
    month: SumReply
    total: SumReply
    days: list[DayReply]


class OverviewState(OverviewReply):
    """What the administrators' first page starts with."""

    report: ReportReply


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
        waiting=overview.waiting,
        drifts=overview.drifts,
        demo=overview.demo,
        keys_fail=overview.keys_fail,
        troubled=[troubled_reply(each) for each in overview.troubled],
        attempts=overview.attempts,
        failed=overview.failed,
        budgets=[budget_reply(each) for each in overview.budgets],
        version=config.VERSION,
        schema=check_reply(overview.schema),
        timezone=use.timezone,
        today=use.today,
        week=use.week,
        month=use.month,
        total=use.total,
        days=use.days,
    )


def overview_state(overview: Overview, report: Report) -> OverviewState:
    return OverviewState(**msgspec.structs.asdict(overview_reply(overview)), report=report_reply(report))


def report_reply(report: Report) -> ReportReply:
    before = sum_reply(report.before)
    return ReportReply(
        first=report.days.first,
        last=report.days.last,
        timezone=report.timezone,
        sum=sum_reply(report.whole.sum),
        before=BeforeReply(first=report.days_before.first, last=report.days_before.last, sum=before),
        ongoing=report.ongoing,
        peak_tokens=report.whole.peak_tokens,
        cache_saved=_money(report.whole.cache_saved),
        peak_extra=_money(report.whole.peak_extra),
        unit=report.unit,
        bars=[_part(each) for each in report.bars],
        presets={name: _days(days) for name, days in report.presets.items()},
    )


def groups_reply(parts: list[Part]) -> GroupsReply:
    return GroupsReply(rows=[_part(each) for each in parts])


def _part(part: Part) -> GroupReply:
    return GroupReply(key=part.key, label=_label(part), **_figures(part.sum))


def _label(part: Part) -> str:
    """Only the group that everybody begins in has a name that depends on the reader's language."""
    if part.key != DEFAULT_GROUP_ID:
        return part.label
    return group_service.shown_name(Group(id=part.key, name=part.label), g.locale)


def _days(days: Days) -> DaysReply:
    return DaysReply(first=days.first, last=days.last)


def _figures(part: Sum) -> dict[str, Any]:
    return {name: getattr(part, name) for name in COUNTS} | {
        "total_tokens": part.total_tokens,
        "costs": _money(part.costs),
    }


def _money(micros: dict[str, int]) -> list[Cost]:
    return [Cost(currency=currency, micros=amount) for currency, amount in sorted(micros.items())]


def tokens_use_reply(used: list[TokenUse], *, with_person: bool) -> TokensUseReply:
    return TokensUseReply(
        rows=[
            TokenUseReply(
                key=use.id,
                label=f"{use.name} · {use.username}" if with_person and use.username else use.name,
                total_tokens=use.total_tokens,
                costs=[Cost(currency=currency, micros=micros) for currency, micros in sorted(use.costs.items())],
            )
            for use in used
        ]
    )
