"""`flask secrets`: the key that seals what is secret in the database."""

import click

from flask_app import config
from flask_app.cli_group import Group
from flask_app.instance_secrets import KEY
from flask_app.services.audit.audit_service import Actor
from flask_app.services.secrets import rotation_service

secrets = Group("secrets", help="What is sealed in the database, and the key that seals it.")


@secrets.command("rotate")
def rotate() -> None:
    """Seal all secrets with a new ENCRYPTION_KEY while the site runs; run it again where it was broken off."""
    done = rotation_service.rotate(Actor(user=None))
    click.echo(f"{done.resealed:,} secrets are sealed with the new ENCRYPTION_KEY now.")
    if done.unreadable:
        click.echo(f"{done.unreadable:,} secrets could not be opened before either. Enter them anew.")
    if KEY in config.current().made_secrets:
        click.echo("Running servers know it already. Backups of before open with the old one, which is in them.")
    else:
        click.echo("Take OLD_ENCRYPTION_KEY out of the environment of every server, and restart.")
