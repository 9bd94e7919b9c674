"""`flask doctor`: is everything as it should be, and what to do where it is not."""

import sys

import click
from flask.cli import with_appcontext


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Look at the settings, the database, Redis, keys, disk, certificates, mail and backups; status 1 where it is bad.

    Providers are asked for their lists of models, the mail server whether it takes us; nothing is sent or changed.
    """
    from flask_app.services.operations import doctor_service, finding

    is_bad = False
    for found in doctor_service.examine():
        click.echo(f"{found.level:8}{found.what}")
        if found.advice:
            click.echo(f"{'':8}→ {found.advice}")
        is_bad = is_bad or found.level == finding.BAD
    if is_bad:
        sys.exit(1)
