"""`flask shares`: links by which people share conversations, from a terminal."""

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Group, moment, show
from flask_app.services.sharing import share_admin_service, sharing_policy

shares = Group("shares", help="Links by which people share conversations.")


@shares.command("allow")
@click.argument("mode", type=click.Choice(sharing_policy.MODES))
def allow(mode: str) -> None:
    """Say who may open links: nobody (off), whoever is signed in (people), or whoever has one (anybody)."""
    click.echo(sharing_policy.change(COMMAND_LINE, mode))


@shares.command("list")
def list_shares() -> None:
    """Everybody's links that have not ended, the newest first; neither a link nor what it shows is told."""
    rows = [
        (each.id, each.username, moment(each.created_at), moment(each.expires_at), each.audience, str(each.opened))
        for each in share_admin_service.everybodys()
    ]
    show(("ID", "PERSON", "MADE", "ENDS", "FOR", "OPENED"), rows)


@shares.command("end")
@click.argument("share_id", metavar="ID")
def end(share_id: str) -> None:
    """End a link, by its id, at once and for good."""
    share_admin_service.end(COMMAND_LINE, share_id)
    click.echo("Ended.")
