"""`flask codes`: redeem codes from a terminal."""

from datetime import datetime

import click

from flask_app.cli_budgets import COMMAND_LINE, amount_of, shown_amount, unit_of, warn_of
from flask_app.cli_group import Group, moment, show
from flask_app.errors import NotFound
from flask_app.services.budgets import code_admin_service
from flask_app.services.budgets.code_admin_service import Code, Listed, Terms
from flask_app.services.queries.paging import MAX_PAGE

codes = Group("codes", help="Codes that people redeem for a balance.")


@codes.command("make")
@click.argument("count", type=int)
@click.argument("amount")
@click.option("--unit", default="tokens", show_default=True, help="Tokens, or a currency such as CNY.")
@click.option("--label", required=True, help="What for; it stands with each top-up.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which they can be redeemed.")
def make(count: int, amount: str, unit: str, label: str, expires: datetime | None) -> None:
    """Make COUNT codes worth AMOUNT each, and print them: they are shown this once."""
    unit = unit_of(unit)
    terms = Terms(
        label=label, count=count, unit=unit, amount=amount_of(amount, unit), expires_on=expires and expires.date()
    )
    made = code_admin_service.make(COMMAND_LINE, terms)
    click.echo(f"Batch {made.listed.batch.id}", err=True)
    warn_of(unit)
    for code in made.codes:
        click.echo(code)


@codes.command("list")
@click.argument("batch", required=False)
def list_codes(batch: str | None) -> None:
    """Every batch, the newest first; or the codes of one, by their beginnings."""
    if batch is None:
        heads = ("BATCH", "LABEL", "CODES", "EACH", "OPEN", "REDEEMED", "REVOKED", "EXPIRED", "EXPIRES")
        show(heads, [_batch_row(each) for each in _all_batches()])
    else:
        rows = [(each.code.id, f"{each.code.hint}-…", each.state, each.redeemed_by or "-") for each in _all_of(batch)]
        show(("CODE", "HINT", "STATE", "REDEEMED BY"), rows)


@codes.command("revoke")
@click.argument("id")
def revoke(id: str) -> None:  # noqa: A002 - click names it so
    """Let a batch or a single code, by its id, be redeemed no more."""
    try:
        listed = code_admin_service.revoke_batch(COMMAND_LINE, id)
    except NotFound:
        listed = code_admin_service.revoke_code(COMMAND_LINE, id)
    click.echo(f"{listed.batch.label}: {listed.states['open']:,} open, {listed.states['revoked']:,} revoked")


def _all_batches() -> list[Listed]:
    page = code_admin_service.listed(limit=MAX_PAGE)
    found = page.batches
    while page.next:
        page = code_admin_service.listed(before=page.next, limit=MAX_PAGE)
        found = [*found, *page.batches]
    return found


def _all_of(batch_id: str) -> list[Code]:
    page = code_admin_service.codes_of(batch_id, limit=MAX_PAGE)
    found = page.codes
    while page.next:
        page = code_admin_service.codes_of(batch_id, after=page.next, limit=MAX_PAGE)
        found = [*found, *page.codes]
    return found


def _batch_row(listed: Listed) -> tuple[str, ...]:
    batch = listed.batch
    states = [f"{listed.states[name]:,}" for name in ("open", "redeemed", "revoked", "expired")]
    each = shown_amount(batch.amount, batch.unit)
    return (batch.id, batch.label, f"{batch.count:,}", each, *states, moment(batch.expires_at))
