"""`flask tokens`: personal access tokens from a terminal."""

import click

from flask_app.cli_group import Group, moment, show
from flask_app.database import utc_now
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tokens import token_admin_service, token_service

COMMAND_LINE = Actor(user=None)

tokens = Group("tokens", help="Personal access tokens, by which programs ask in people's names.")


@tokens.command("list")
def list_tokens() -> None:
    """Everybody's tokens, the newest first; a token itself is shown nowhere."""
    now = utc_now()
    rows = [
        (
            each.token.id,
            each.username,
            each.token.name,
            f"…{each.token.hint}",
            token_service.state_of(each.token, now),
            moment(each.token.expires_at),
            moment(each.token.last_used_at),
        )
        for each in token_admin_service.everybodys()
    ]
    show(("ID", "PERSON", "NAME", "TOKEN", "STATE", "EXPIRES", "LAST USED"), rows)


@tokens.command("revoke")
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """End a token, by its id, at once."""
    token_admin_service.revoke(COMMAND_LINE, token_id)
    click.echo("Revoked.")
