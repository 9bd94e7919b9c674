"""`flask doctor`: is everything as it should be, and what to do where it is not."""

import sys

import click
from flask.cli import with_appcontext

from flask_app.services import doctor_service
from flask_app.services.doctor_service import BAD


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Look at the settings, the database, Redis, keys, disk and certificates; status 1 where something is bad.

    Providers are asked for their lists of models; nothing is changed.
    """
    is_bad = False
    for finding in doctor_service.examine():
        click.echo(f"{finding.level:8}{finding.what}")
        if finding.advice:
            click.echo(f"{'':8}→ {finding.advice}")
        is_bad = is_bad or finding.level == BAD
    if is_bad:
        sys.exit(1)
