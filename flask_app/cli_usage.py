"""`flask usage`: the ledger's own check, and the repair of what is added up from it."""

import sys

import click

from flask_app.cli_group import Group
from flask_app.services import usage_check_service

usage = Group("usage", help="The ledger and what is added up from it.")


@usage.command("verify")
def verify() -> None:
    """Add up the whole ledger anew and compare; status 1 where something differs."""
    differences = 0
    for finding in usage_check_service.verify():
        click.echo(f"{finding.what}: {finding.where}")
        differences += 1
    if differences:
        click.echo(f"{differences:,} differences. `flask usage rebuild` mends those of the roll-up.", err=True)
        sys.exit(1)
    click.echo(f"{usage_check_service.count_entries():,} entries, no difference.")


@usage.command("rebuild")
def rebuild() -> None:
    """Make the roll-up what the ledger says. The ledger itself is never changed."""
    places = usage_check_service.rebuild()
    click.echo(f"Mended in {places:,} places." if places else "Nothing was wrong.")
