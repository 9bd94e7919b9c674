"""`flask usage`: the ledger's checks, the repair of what is added up from it, and refunds."""

import sys
from datetime import datetime, timedelta

import click

from flask_app import config, database
from flask_app.cli_group import Group, moment, show
from flask_app.cli_records import overview, records, show_tokens, show_use
from flask_app.database import utc_now
from flask_app.domain import tariff
from flask_app.domain.ranges import Days
from flask_app.errors import BadRequest
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import refund_service, usage_check_service
from flask_app.services.reconciliation import reconciliation_admin_service, reconciliation_clues, reconciliation_service
from flask_app.services.reconciliation.reconciliation_admin_service import Computed
from flask_app.services.usage import records_service

PATIENCE_SECONDS = 3600  # adding up a long ledger is one question, and the answer takes its time

DAY = click.DateTime(["%Y-%m-%d"])

usage = Group("usage", help="The ledger and what is added up from it.")
usage.add_command(overview)
usage.add_command(show_use)
usage.add_command(show_tokens)
usage.add_command(records)


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
        click.echo(
            f"{differences:,} differences. `flask usage rebuild` mends those of the roll-up and of balances.", err=True
        )
        sys.exit(1)
    click.echo(f"{usage_check_service.count_entries():,} entries, no difference.")


@usage.command("rebuild")
def rebuild() -> None:
    """Make the roll-up and the balances what the ledger says. The ledger itself is never changed."""
    _be_patient()
    places = usage_check_service.rebuild(Actor(user=None))
    moved = usage_check_service.mend_balances(Actor(user=None))
    for each in moved:
        click.echo(f"Balance {each}")
    places += len(moved)
    click.echo(f"Mended in {places:,} places." if places else "Nothing was wrong.")


@usage.command("reconcile")
@click.option("--day", type=DAY, help="One day, such as 2026-11-25.")
@click.option("--from", "first", type=DAY, help="The first day; yesterday without.")
@click.option("--to", "last", type=DAY, help="The last day, within; today without.")
def reconcile(day: datetime | None, first: datetime | None, last: datetime | None) -> None:
    """Compare what providers took with what was booked, by account and day; status 1 where a drift stands."""
    if day and (first or last):
        raise click.UsageError("give --day, or --from and --to")
    _be_patient()
    found = reconciliation_admin_service.computed(_days(day or first, day or last))
    if not found:
        click.echo("No two readings of a balance to compare.")
        return
    show(
        ("DAY", "ACCOUNT", "CURRENCY", "BEFORE", "AFTER", "BOOKED", "OTHER CHANGES", "DRIFT", "STATE"),
        map(_line, found),
    )
    drifts = [each for each in found if each.state == "drift"]
    for each in drifts:
        _explain(each)
    if drifts:
        sys.exit(1)


@usage.command("acknowledge")
@click.argument("reconciliation")
@click.option("--note", required=True, help="What is known of it.")
def acknowledge(reconciliation: str, note: str) -> None:
    """Say that a drift is known, by the id that its warning or the page of reconciliation tells."""
    known = reconciliation_admin_service.acknowledge(Actor(user=None), reconciliation, note)
    click.echo(f"{known.account}, {known.row.day.isoformat()}: {known.state}")


@usage.command("drift")
@click.argument("amount")
@click.argument("permille", type=int)
def drift(amount: str, permille: int) -> None:
    """Say how much a provider's balance and the ledger may differ in a day: AMOUNT, or PERMILLE of what was booked."""
    reconciliation_admin_service.set_threshold(Actor(user=None), tariff.micros(amount), permille)


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


def _days(first: datetime | None, last: datetime | None) -> Days:
    today = reconciliation_service.today(utc_now())
    days = Days(first.date() if first else today - timedelta(days=1), last.date() if last else today)
    if days.first > days.last:
        raise BadRequest("backwards_range")
    return days


def _line(each: Computed) -> tuple[str, ...]:
    found = each.compared.found
    other = ", ".join(f"{reason} {_change(-micros)}" for reason, micros in found.aside.items()) or "-"
    amounts = map(tariff.decimal, (found.start, found.end, found.total_booked))
    day = each.compared.day.isoformat()
    return (day, each.account, found.currency, *amounts, other, tariff.decimal(found.drift), each.state)


def _explain(each: Computed) -> None:
    """What could explain a drift, with the ids of records, or of attempts that have none."""
    found = each.compared.found
    drift = f"{tariff.decimal(found.drift)} {found.currency}"
    click.echo(f"\n{each.account}, {moment(found.since)} to {moment(found.until)}: {drift}")
    for clue in reconciliation_clues.between(found.since, found.until, found.booked, found.currency):
        click.echo(f"  {clue.kind}: {clue.count:,} ({tariff.decimal(clue.micros)} {found.currency})")
        for item in clue.items:
            cost = "-" if item.micros is None else f"{tariff.decimal(item.micros)} {item.currency}"
            click.echo(f"    {moment(item.at)} {item.id} {item.model} {item.username or '-'} {cost}")


def _change(micros: int) -> str:
    return f"{'+' if micros > 0 else ''}{tariff.decimal(micros)}"
