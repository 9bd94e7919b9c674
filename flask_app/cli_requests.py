"""`flask requests`: the log of what programs ask, from a terminal."""

import click

from flask_app.cli_group import Group
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import request_retention

requests = Group("requests", help="The log of programs' requests.")


@requests.command("keep")
@click.argument("days", type=int, required=False)
def keep(days: int | None) -> None:
    """Keep them for so many days; without DAYS, say for how many they are kept."""
    kept = request_retention.days() if days is None else request_retention.keep_for(Actor(None), days)
    click.echo(f"Requests of programs are kept for {kept} days.")
