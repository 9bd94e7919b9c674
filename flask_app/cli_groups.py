"""`flask groups`: the groups of people from a terminal."""

from typing import cast

import click

from flask_app import models
from flask_app.cli_budgets import amount_of, shown_amount, unit_of, warn_of
from flask_app.cli_group import Group, show
from flask_app.domain import hours as clocks
from flask_app.domain.budget import TOKENS
from flask_app.domain.hours import WEEK as WEEK_DAYS
from flask_app.domain.hours import Hours
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import opening_service
from flask_app.services.budgets.opening_service import Opening
from flask_app.services.people import group_access, group_deletion, group_service, managing_service, supervision_service
from flask_app.services.people.group_access import Changes
from flask_app.services.people.group_models import Choice
from flask_app.services.people.group_service import Choices

COMMAND_LINE = Actor(user=None)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

groups = Group("groups", help="The groups that people are in.")


@groups.command("list")
def list_groups() -> None:
    """Every group, the default one first: how many people are in it, and its settings."""
    rows = [
        (group_service.shown_name(counted.group, "en"), str(counted.members), _policy(counted.group))
        for counted in group_service.listed()
    ]
    show(("NAME", "PEOPLE", "WHEN THE READER LEAVES"), rows)


@groups.command("add")
@click.argument("name")
def add(name: str) -> None:
    """Make a group without people."""
    click.echo(group_service.add(COMMAND_LINE, Choices(name=name)).group.name)


@groups.command("change")
@click.argument("group")
@click.option("--name", help="What it is called from now on.")
@click.option("--on-disconnect", type=click.Choice(group_service.POLICIES), help="When the reader of an answer leaves.")
@click.option("--tokens", type=int, help="With limit: for how many more tokens it goes on.")
@click.option("--file-quota", type=int, help="How many megabytes of files each may keep in messages; 0: none.")
def change(group: str, name: str | None, on_disconnect: str | None, tokens: int | None, file_quota: int | None) -> None:
    """Rename a group, say what becomes of an answer whose reader left, or how many files its people may keep."""
    wanted = Choices(name=name, on_disconnect=on_disconnect, tokens=tokens, file_quota_mb=file_quota)
    changed = group_service.change(COMMAND_LINE, group_service.by_name(group).id, wanted).group
    click.echo(f"{group_service.shown_name(changed, 'en')}: {_policy(changed)}")


@groups.command("delete")
@click.argument("group")
@click.option("--yes", is_flag=True, help="Delete what of theirs is too old in the default group.")
def delete(group: str, *, yes: bool) -> None:
    """Delete a group: its people move to the default one, its budgets, prompts and assistants go with it."""
    group_deletion.delete(COMMAND_LINE, group_service.by_name(group).id, is_confirmed=yes)


@groups.command("managers")
@click.argument("group")
@click.argument("names", nargs=-1)
@click.option("--nobody", is_flag=True, help="Let nobody manage it any more.")
def managers(group: str, names: tuple[str, ...], *, nobody: bool) -> None:
    """Who manages a group; with names: these people and nobody else."""
    group_id = group_service.by_name(group).id
    if names or nobody:
        managing_service.appoint(COMMAND_LINE, group_id, () if nobody else names)
    for name in managing_service.names_of([group_id]).get(group_id, []):
        click.echo(name)


@groups.command("access")
@click.argument("group")
@click.option("--api/--no-api", "api", default=None, help="May its people make and use access tokens?")
@click.option("--sharing/--no-sharing", "sharing", default=None, help="May they share conversations by links?")
@click.option("--search/--no-search", "web_search", default=None, help="May questions be looked up on the web?")
@click.option("--model", "models", multiple=True, help="A model that they may ask; name each, all others are closed.")
@click.option("--all-models", is_flag=True, help="They may ask every model.")
@click.option("--hours", help="When they may ask, by the site's clocks: 08:00-16:30; always lifts it.")
@click.option("--day", "days", multiple=True, type=click.Choice(DAYS), help="On which days; all without.")
def access(
    group: str,
    *,
    models: tuple[str, ...],
    all_models: bool,
    hours: str | None,
    days: tuple[str, ...],
    **switches: bool | None,
) -> None:
    """What a group may use, which models it may ask, and when."""
    if models and all_models:
        raise click.UsageError("give models, or --all-models")
    found = group_service.by_name(group)
    wanted = cast("Changes", {name: on for name, on in switches.items() if on is not None})
    if models or all_models:
        wanted["models"] = Choice(models or None)
    if hours is not None:
        wanted["hours"] = _hours(hours, days)
    if wanted:
        found = group_access.put(COMMAND_LINE, found.id, **wanted)
    told = group_access.told(found)
    click.echo(f"Access tokens: {_yes(bool(told['api']))}\nSharing: {_yes(found.sharing)}")
    click.echo(f"Searching the web: {_yes(found.web_search)}")
    click.echo(f"Models: {told['models'] or 'all'}\nHours: {told['hours'] or 'always'}")


@groups.command("opening")
@click.argument("group")
@click.argument("amount", required=False)
@click.option("--unit", default=TOKENS, show_default=True, help="Tokens, or a currency such as CNY.")
@click.option("--none", "nothing", is_flag=True, help="Give whoever comes none any more.")
def opening(group: str, amount: str | None, unit: str, *, nothing: bool) -> None:
    """The prepaid balance that each person of a group begins with; with AMOUNT: tokens, or money such as 20.50.

    If it gave none of this unit until now, its people who have none get one at once, and are limited by it. Another
    amount of the same unit is for those who come later.
    """
    found, given = group_service.by_name(group), 0
    if nothing or amount is not None:
        unit = unit_of(unit)
        wanted = None if nothing or amount is None else Opening(unit, amount_of(amount, unit))
        done = opening_service.put(COMMAND_LINE, found.id, wanted)
        found, given = done.group, done.given
    begun = opening_service.of(found)
    click.echo(f"Each begins with {shown_amount(begun.amount, begun.unit)}." if begun else "Nobody begins with one.")
    if given:
        click.echo(f"Given to {given:,} people.")
    if begun:
        warn_of(begun.unit)


@groups.command("supervise")
@click.argument("group")
@click.option("--off", is_flag=True, help="Let its managers read nothing any more.")
def supervise(group: str, *, off: bool) -> None:
    """Let the managers of a group read what its people write from now on; everybody in it is told."""
    since = supervision_service.switch(COMMAND_LINE, group_service.by_name(group).id, on=not off)
    click.echo("It is supervised." if since else "It is not supervised.")


def _yes(allowed: bool) -> str:  # noqa: FBT001 - its name says what it is of
    return "yes" if allowed else "no"


def _hours(typed: str, days: tuple[str, ...]) -> Hours | None:
    if typed == "always":
        return None
    start, _, end = typed.partition("-")
    try:
        on = frozenset(DAYS.index(day) for day in days) or frozenset(range(WEEK_DAYS))
        return Hours(on, clocks.minutes(start), clocks.minutes(end))
    except ValueError as error:
        raise click.BadParameter("give hours such as 08:00-16:30, or always", param_hint="--hours") from error


def _policy(group: models.Group) -> str:
    return group.on_disconnect if group.on_disconnect_tokens is None else f"{group.on_disconnect_tokens} more tokens"
