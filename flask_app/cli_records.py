"""`flask usage`, what is only read: the site at a glance, use told apart, and the records as a file."""

from collections.abc import Mapping
from datetime import datetime

import click

from flask_app.cli_budgets import shown_amount
from flask_app.cli_group import DAYS, dates, moment, several, show
from flask_app.database import utc_now
from flask_app.domain import tariff
from flask_app.domain.outcomes import OUTCOMES
from flask_app.domain.ranges import Days
from flask_app.models import User
from flask_app.services.people import group_service
from flask_app.services.site import overview_service
from flask_app.services.site.overview_service import Overview
from flask_app.services.tokens import token_use_service
from flask_app.services.usage import breakdown_service, records_service, report_service
from flask_app.services.usage.breakdown_service import Part
from flask_app.services.usage.record_lookups import CHANNELS
from flask_app.services.usage.record_search import PROVENANCES, Filter
from flask_app.services.usage.sums import Sum
from flask_app.web.exports import FORMATS
from flask_app.web.record_files import lines

READER = User()  # nobody in particular, who has chosen no time zone: days are those of the site's


@click.command("overview")
@several(*DAYS)
def overview(*, first: datetime | None, last: datetime | None) -> None:
    """The site at a glance: people, keys, failures, budgets, and what was used.

    What was used in some days (the last thirty) stands beside what was used in as many days before; where they are not
    over yet, up to the same time.
    """
    now = utc_now()
    report = report_service.site(READER, dates(first, last), now)
    found = overview_service.overview(READER, now)
    click.echo("\n".join(_told(found)))
    use = found.use
    periods = {"today": use.today, "this week": use.week, "this month": use.month, "in total": use.total}
    compared = {_span(report.days): report.whole.sum, f"{_span(report.days_before)} (before)": report.before}
    rows = [(name, *_figures(part)) for name, part in [*periods.items(), *compared.items()]]
    show(("USED", "ANSWERS", "TOKENS", "COST"), rows)


@click.command("show")
@click.option("--by", type=click.Choice(breakdown_service.SITE), default="user", show_default=True)
@several(*DAYS)
def show_use(by: str, *, first: datetime | None, last: datetime | None) -> None:
    """Use told apart, the most tokens first or in the order of time.

    Without days all of it, by the hour, the day or the month that of the last thirty days.
    A group's is that of the people who are in it now.
    """
    parts = breakdown_service.site(READER, by, dates(first, last), utc_now())
    show((by.upper(), "ANSWERS", "TOKENS", "COST"), [(_label(by, part), *_figures(part.sum)) for part in parts])


@click.command("tokens")
@several(*DAYS)
def show_tokens(*, first: datetime | None, last: datetime | None) -> None:
    """Everybody's use by access token, the most tokens first; without days all of it."""
    parts = token_use_service.site(dates(first, last))
    rows = [(each.username or "-", each.name, each.id, f"{each.total_tokens:,}", _costs(each.costs)) for each in parts]
    show(("PERSON", "TOKEN", "ID", "TOKENS", "COST"), rows)


@click.command("records")
@click.option("--user", help="An id, or part of a name.")
@click.option("--group", help="The name of the group that people are in now.")
@click.option("--model", help="The model asked for.")
@click.option("--key", help="A key's id.")
@click.option("--outcome", type=click.Choice(OUTCOMES))
@click.option("--provenance", type=click.Choice(PROVENANCES))
@click.option("--channel", type=click.Choice(CHANNELS))
@click.option("--token", help="An access token's id.")
@click.option("--id", help="A record's id, or its attempt's or its request's.")
@several(*DAYS)
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), default="csv", show_default=True)
def records(
    *, group: str | None, first: datetime | None, last: datetime | None, kind: str, **wanted: str | None
) -> None:
    """Print all records that fit, the newest first, as a file."""
    group_id = group_service.by_name(group).id if group is not None else None
    filtered = Filter(group=group_id, dates=dates(first, last), **wanted)
    for text in lines(records_service.every(READER, filtered), kind, full=True):
        click.echo(text, nl=False)


def _told(found: Overview) -> list[str]:
    told = [
        f"People: {found.users:,}, of whom {found.online:,} are here; {found.waiting:,} wait to be let in",
        f"Keys: {found.keys:,} can be asked",
        *(f"  {each.key.label} is {each.state}" for each in found.troubled),
        f"Of the last {found.attempts:,} requests to providers today, {found.failed:,} failed",
        f"Days on which a provider's balance differs: {found.drifts:,}",
    ]
    for each in found.budgets:
        limit, left = shown_amount(each.limit, each.unit), shown_amount(each.left, each.unit)
        told.append(f"Budget of the site ({each.period}): {left} left of {limit}, renews {moment(each.renews_at)}")
    return [*told, f"Database: {found.schema.code}", ""]


def _span(days: Days) -> str:
    return f"{days.first.isoformat()} to {days.last.isoformat()}"


def _label(by: str, part: Part) -> str:
    return group_service.name_in("en", part.key, part.label) if by == "group" else part.label or "-"


def _figures(part: Sum) -> tuple[str, str, str]:
    return f"{part.requests:,}", f"{part.total_tokens:,}", _costs(part.costs)


def _costs(costs: Mapping[str, int]) -> str:
    return ", ".join(f"{tariff.decimal(micros)} {currency}" for currency, micros in sorted(costs.items())) or "-"
