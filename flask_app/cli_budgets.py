"""`flask budgets`: limits from a terminal."""

from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import Row

from flask_app.cli_group import PAGED, Group, moment, more, several, show
from flask_app.database import utc_now
from flask_app.domain import tariff
from flask_app.domain.budget import PREPAID, RENEWING, TOKENS
from flask_app.errors import NotFound
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, top_up_service
from flask_app.services.budgets.budget_admin_service import Listed, Place
from flask_app.services.people import group_service, user_admin_service
from flask_app.services.tariffs import currencies

COMMAND_LINE = Actor(user=None)

budgets = Group("budgets", help="How much may be used in a day, a week, a month, or of a prepaid balance.")


# Whose a budget is, and of what.
_owned = several(
    click.option("--user", help="For the person of this name. Without one of them: for the site."),
    click.option("--group", help="For the group of this name."),
    click.option("--unit", default=TOKENS, show_default=True, help="Tokens, or a currency such as CNY."),
)


def _placed(*periods: str) -> Callable[[Any], Any]:
    """The same, and of what period."""

    def decorate(command: Any) -> Any:
        each = click.option("--each", is_flag=True, help="Of each person of the group, instead of all together.")
        return click.argument("period", type=click.Choice(periods))(_owned(each(command)))

    return decorate


@budgets.command("list")
def list_budgets() -> None:
    """Every budget and how it stands, the newest first."""
    rows = [_row(listed) for listed in budget_admin_service.everything(utc_now())]
    show(("FOR", "PERIOD", "LIMIT", "USED", "RESERVED", "LEFT", "WHEN USED UP", "RENEWS"), rows)


@budgets.command("set")
@_placed(*RENEWING)
@click.argument("limit")
@click.option("--warn", is_flag=True, help="Only show that it is used up; without, requests are refused.")
def set_budget(limit: str, *, warn: bool, **where: Any) -> None:
    """Set a limit: a number of tokens, or an amount of money such as 20.50 with --unit."""
    place = _place(**where)
    listed = budget_admin_service.put(COMMAND_LINE, place, amount_of(limit, place.unit), hard=not warn)
    click.echo(f"{_whose(listed)}, {place.period}: {shown_amount(listed.standing.limit, place.unit)}")
    warn_of(place.unit)


@budgets.command("topup", context_settings={"ignore_unknown_options": True})
@_owned
@click.argument("amount")
@click.option("--reason", required=True, help="What for; it is kept.")
def top_up(amount: str, reason: str, **where: Any) -> None:
    """Add to a prepaid balance, which is made where there is none: tokens, or money such as 20.50 with --unit.

    A negative amount takes back what is left.
    """
    place = _place(PREPAID, each=False, **where)
    magnitude = amount_of(amount.removeprefix("-"), place.unit)
    listed = _topped_up(place, -magnitude if amount.startswith("-") else magnitude, reason)
    click.echo(f"{_whose(listed)}: {shown_amount(listed.standing.left, place.unit)} left")
    warn_of(place.unit)


@budgets.command("topups")
@_owned
@several(*PAGED)
def top_ups(*, before: str | None, limit: int, **where: Any) -> None:
    """What was added to a prepaid balance, and taken back, the newest first."""
    place = _place(PREPAID, each=False, **where)
    budget_id = budget_admin_service.find(place)
    if budget_id is None:
        raise NotFound
    found = top_up_service.listed(budget_id, before=before, limit=limit)
    show(("WHEN", "AMOUNT", "BY", "WHY"), [_top_up(each, place.unit) for each in found.top_ups])
    more(found.next)


@budgets.command("delete")
@_placed(*RENEWING, PREPAID)
def delete(**where: Any) -> None:
    """Take a limit away."""
    budget_id = budget_admin_service.find(_place(**where))
    if budget_id is None:
        raise NotFound
    budget_admin_service.delete(COMMAND_LINE, budget_id)
    click.echo("Deleted.")


def unit_of(typed: str) -> str:
    """Tokens, or a currency's code; raises Invalid."""
    return TOKENS if typed.casefold() == TOKENS else tariff.currency(typed)


def warn_of(unit: str) -> None:
    """Say so where nothing is counted in it as things are."""
    if currencies.counts_nothing(unit):
        click.echo(f"No key bills in {unit}: it limits nothing until one does.", err=True)


def _topped_up(place: Place, amount: int, reason: str) -> Listed:
    if there := budget_admin_service.find(place):
        return budget_admin_service.top_up(COMMAND_LINE, there, amount, reason)
    return budget_admin_service.add(COMMAND_LINE, place, amount, reason=reason)


def _top_up(row: Row[Any], unit: str) -> tuple[str, ...]:
    """By a code, or on the server, it was nobody's act."""
    return moment(row.created_at), shown_amount(row.amount, unit), row.by or "-", row.reason


def _place(period: str, *, user: str | None, group: str | None, each: bool, unit: str) -> Place:
    if (user and group) or (each and not group):
        raise click.UsageError("give --user, or --group (with --each or without), or neither")
    unit = unit_of(unit)
    if user:
        return Place(scope="user", scope_id=user_admin_service.by_name(user).id, unit=unit, period=period)
    if group:
        scope_id = group_service.by_name(group).id
        return Place(scope="member" if each else "group", scope_id=scope_id, unit=unit, period=period)
    return Place(scope="site", unit=unit, period=period)


def amount_of(limit: str, unit: str) -> int:
    if unit != TOKENS:
        return tariff.micros(limit)
    if not (limit.isascii() and limit.isdigit() and int(limit[:20]) <= budget_admin_service.MAX_LIMIT):
        raise click.BadParameter("give a whole number of tokens", param_hint="AMOUNT")
    return int(limit)


def _row(listed: Listed) -> tuple[str, ...]:
    each = listed.standing
    figures = [shown_amount(value, each.unit) for value in (each.spent, each.reserved, each.left)]
    used = ["-", "-", "-"] if each.scope == "member" else figures
    refused = "refused" if each.hard else "shown"
    return (_whose(listed), each.period, shown_amount(each.limit, each.unit), *used, refused, moment(each.renews_at))


def _whose(listed: Listed) -> str:
    if listed.person and listed.token:
        return f"{listed.person.username}, token {listed.token.name}"
    if listed.person:
        return listed.person.username
    if listed.group:
        each = "each of " if listed.standing.scope == "member" else ""
        return each + group_service.shown_name(listed.group, "en")
    return "the site"


def shown_amount(value: int, unit: str) -> str:
    return f"{value:,}" if unit == TOKENS else f"{tariff.decimal(value)} {unit}"
