"""`flask usage`, what is only read: the site at a glance, use told apart, and the records as a file."""

from datetime import datetime

import click

from flask_app.cli_budgets import shown_amount
from flask_app.cli_group import Option, moment, several, show
from flask_app.database import utc_now
from flask_app.domain import tariff
from flask_app.domain.outcomes import OUTCOMES
from flask_app.models import User
from flask_app.services.people import group_service
from flask_app.services.site import overview_service
from flask_app.services.site.overview_service import Overview
from flask_app.services.usage import breakdown_service, records_service
from flask_app.services.usage.breakdown_service import Part
from flask_app.services.usage.record_lookups import CHANNELS
from flask_app.services.usage.record_search import PROVENANCES, Filter
from flask_app.services.usage.stats_service import DateRange
from flask_app.services.usage.sums import Sum
from flask_app.web.exports import FORMATS
from flask_app.web.record_files import lines

READER = User()  # nobody in particular, who has chosen no time zone: days are those of the site's
DAY = click.DateTime(["%Y-%m-%d"])
DAYS: tuple[Option, ...] = (
    click.option("--from", "first", type=DAY, help="The first day, such as 2026-11-25, in the site's time zone."),
    click.option("--to", "last", type=DAY, help="The last day, within."),
)


@click.command("overview")
def overview() -> None:
    """The site at a glance: people, keys, failures, budgets, and what was used."""
    found = overview_service.overview(READER, utc_now())
    click.echo("\n".join(_told(found)))
    use = found.use
    periods = {"today": use.today, "this week": use.week, "this month": use.month, "in total": use.total}
    show(("USED", "ANSWERS", "TOKENS", "COST"), [(name, *_figures(part)) for name, part in periods.items()])


@click.command("show")
@click.option("--by", type=click.Choice(breakdown_service.SITE), default="user", show_default=True)
@several(*DAYS)
def show_use(by: str, *, first: datetime | None, last: datetime | None) -> None:
    """Use told apart, the most tokens first or in the order of time.

    Without days all of it, by the hour, the day or the month that of the last thirty days.
    A group's is that of the people who are in it now.
    """
    parts = breakdown_service.site(READER, by, _dates(first, last), utc_now())
    show((by.upper(), "ANSWERS", "TOKENS", "COST"), [(_label(by, part), *_figures(part.sum)) for part in parts])


@click.command("records")
@click.option("--user", help="An id, or part of a name.")
@click.option("--group", help="The name of the group that people are in now.")
@click.option("--model", help="The model asked for.")
@click.option("--key", help="A key's id.")
@click.option("--outcome", type=click.Choice(OUTCOMES))
@click.option("--provenance", type=click.Choice(PROVENANCES))
@click.option("--channel", type=click.Choice(CHANNELS))
@click.option("--token", help="An access token's id.")
@several(*DAYS)
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), default="csv", show_default=True)
def records(
    *, group: str | None, first: datetime | None, last: datetime | None, kind: str, **wanted: str | None
) -> None:
    """Print all records that fit, the newest first, as a file."""
    group_id = group_service.by_name(group).id if group is not None else None
    filtered = Filter(group=group_id, dates=_dates(first, last), **wanted)
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


def _label(by: str, part: Part) -> str:
    return group_service.name_in("en", part.key, part.label) if by == "group" else part.label or "-"


def _figures(part: Sum) -> tuple[str, str, str]:
    costs = [f"{tariff.decimal(micros)} {currency}" for currency, micros in sorted(part.costs.items())]
    return f"{part.requests:,}", f"{part.total_tokens:,}", ", ".join(costs) or "-"


def _dates(first: datetime | None, last: datetime | None) -> DateRange:
    return DateRange(first.date() if first else None, last.date() if last else None)
