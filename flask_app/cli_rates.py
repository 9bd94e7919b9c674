"""`flask rates`: how often may be asked, from a terminal."""

import click

from flask_app.cli_group import Group, show
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.site import rate_admin_service, rates
from flask_app.services.site.rate_admin_service import in_words
from flask_app.services.site.windows import Rate

rates_group = Group("rates", help="How often people may ask: the whole site, and groups of their own.")

INHERITED, UNLIMITED = "inherited", "none"


@rates_group.command("list")
def list_rates() -> None:
    """Every limit of the whole site and of each group; in brackets what is not set there."""
    listed = rate_admin_service.listed()
    site = {**listed.usual, **listed.site}
    rows = [("(the whole site)", *(_cell(listed.site, listed.usual, kind) for kind in rates.KINDS))]
    for each in listed.groups:
        name = group_service.shown_name(each.group, "en")
        rows.append((name, *(_cell(each.rates, site, kind) for kind in rates.OF_GROUPS), ""))
    show(("FOR", *(kind.upper() for kind in rates.KINDS)), rows)


@rates_group.command("set")
@click.argument("kind", type=click.Choice(rates.KINDS))
@click.argument("rate")
@click.option("--group", help="For the people of this group instead of the whole site.")
def set_rate(kind: str, rate: str, group: str | None) -> None:
    """Set one limit: "5 per minute", "none", or "inherited"."""
    listed = rate_admin_service.listed()
    if group is None:
        rate_admin_service.set_site(Actor(None), _changed(listed.site, kind, rate))
        click.echo(f"the site, {kind}: {rate}")
    else:
        found = group_service.by_name(group)
        (own,) = (each.rates for each in listed.groups if each.group.id == found.id)
        rate_admin_service.set_group(Actor(None), found.id, _changed(own, kind, rate))
        click.echo(f"{group_service.shown_name(found, 'en')}, {kind}: {rate}")


def _changed(own: rates.Rates, kind: str, rate: str) -> rates.Rates:
    others = {name: value for name, value in own.items() if name != kind}
    if rate == INHERITED:
        return others
    try:
        return {**others, kind: None if rate == UNLIMITED else Rate.parse(rate)}
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _cell(own: rates.Rates, elsewhere: rates.Rates, kind: str) -> str:
    return in_words(own[kind]) if kind in own else f"({in_words(elsewhere[kind])})"
