"""`flask usage`: the ledger's own check, the repair of what is added up from it, and refunds."""

import sys

import click

from flask_app import config, database
from flask_app.cli_group import Group
from flask_app.domain import tariff
from flask_app.services import records_service, refund_service, usage_check_service
from flask_app.services.audit_service import Actor

PATIENCE_SECONDS = 3600  # adding up a long ledger is one question, and the answer takes its time

usage = Group("usage", help="The ledger and what is added up from it.")


@usage.command("verify")
def verify() -> None:
    """Add up the whole ledger anew and compare; status 1 where something differs."""
    _be_patient()
    differences = 0
    if overruns := usage_check_service.count_overruns():
        click.echo(
            f"Of {overruns:,} entries the provider counted more than it was asked for. They stay as it billed them."
        )
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
    _be_patient()
    places = usage_check_service.rebuild(Actor(user=None))
    click.echo(f"Mended in {places:,} places." if places else "Nothing was wrong.")


@usage.command("refund")
@click.argument("record")
@click.option("--reason", required=True, help="Why; the person sees it.")
def refund(record: str, reason: str) -> None:
    """Give the tokens and the cost of a record back, wholly and once. The records' page tells its id."""
    refund_service.refund(Actor(user=None), record, reason)
    given = records_service.get(record)
    entry = given.entry
    cost = f" and {tariff.decimal(entry.cost_micros)} {entry.currency}" if entry.cost_micros is not None else ""
    tokens = entry.prompt_tokens + entry.completion_tokens
    click.echo(f"Refunded {tokens:,} tokens{cost} to {given.username or entry.user_id}.")


def _be_patient() -> None:
    database.connect(config.current().database_url, reply_seconds=PATIENCE_SECONDS)
