"""`flask warnings`: what counts as low, and where warnings go, from a terminal."""

import sys

import click

from flask_app.cli_group import PAGED, Group, moment, more, several, show
from flask_app.domain import tariff
from flask_app.errors import DeliveryError
from flask_app.i18n import LOCALES, translate
from flask_app.services.audit.audit_service import Actor
from flask_app.services.warnings import notice_service, notice_words, warning_admin_service, webhook_service
from flask_app.services.warnings.notice_service import Told

COMMAND_LINE = Actor(user=None)

warnings = Group("warnings", help="Who is warned of budgets and balances, and how.")


@warnings.command("low-balance")
@click.argument("amount", required=False)
def low_balance(amount: str | None) -> None:
    """What counts as little on an account at a provider, in its currency; with AMOUNT: from now on so much."""
    if amount is not None:
        warning_admin_service.set_threshold(COMMAND_LINE, tariff.micros(amount))
    click.echo(tariff.decimal(warning_admin_service.threshold()))


@warnings.command("webhook")
@click.option("--url-stdin", is_flag=True, help="Read the address from standard input: it may hold a secret.")
@click.option("--language", default="en", show_default=True, type=click.Choice(LOCALES), help="Of the sentences sent.")
@click.option("--new-secret", is_flag=True, help="Replace the signing secret; it is shown this once.")
@click.option("--remove", is_flag=True, help="Send nothing there any more.")
@click.option("--test", is_flag=True, help="Send a message that says nothing but that it arrived.")
def webhook(language: str, *, url_stdin: bool, new_secret: bool, remove: bool, test: bool) -> None:
    """Where warnings are sent besides mail."""
    if remove:
        webhook_service.remove(COMMAND_LINE)
    if url_stdin and (secret := webhook_service.point(COMMAND_LINE, sys.stdin.readline().strip(), language)):
        click.echo(f"Signing secret, shown this once: {secret}")
    if new_secret:
        click.echo(f"Signing secret, shown this once: {webhook_service.renew_secret(COMMAND_LINE)}")
    if test:
        _try_out()
    found = webhook_service.find()
    click.echo(found.shown if found else "none")


@warnings.command("sent")
@several(*PAGED)
def sent(*, before: str | None, limit: int) -> None:
    """Every warning to everybody whom it went to, and what became of it, the newest first."""
    found = notice_service.listed(before=before, limit=limit)
    show(("WHEN", "TO", "BY", "STATE", "TRIES", "FAILED BY", "WHAT"), [_row(each) for each in found.notices])
    more(found.next)


def _row(told: Told) -> tuple[str, ...]:
    row = told.notice
    failed = f"{row.error_code} ({row.error_detail})" if row.error_detail else row.error_code or "-"
    what = notice_words.headline(row.kind, row.share, told.facts, "en")
    return moment(row.created_at), told.to or "-", row.channel, row.state, str(row.tries), failed, what


def _try_out() -> None:
    try:
        webhook_service.test(COMMAND_LINE)
    except DeliveryError as error:
        words = translate("en", f"error.{error.code}")
        raise click.ClickException(f"{words} ({error.detail})" if error.detail else words) from error
