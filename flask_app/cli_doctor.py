"""`flask doctor`: is everything as it should be, and what to do where it is not."""

import sys

import click
from flask.cli import with_appcontext


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Look at the settings, the database, Redis, keys, disk and certificates; status 1 where something is bad.

    Providers are asked for their lists of models; nothing is changed.
    """
    from flask_app.services import doctor_service  # with Redis's library: a server without Redis spares the memory

    is_bad = False
    for finding in doctor_service.examine():
        click.echo(f"{finding.level:8}{finding.what}")
        if finding.advice:
            click.echo(f"{'':8}→ {finding.advice}")
        is_bad = is_bad or finding.level == doctor_service.BAD
    if is_bad:
        sys.exit(1)
