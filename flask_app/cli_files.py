"""`flask files`: contents of files, in the database and in the store that FILES_URL names."""

import sys

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Group
from flask_app.services.files import moving, store_check

SHOWN = 20

files = Group("files", help="What is in files that people attached, and where it lies.")


@files.command("move")
def move() -> None:
    """Move contents to where new ones go: into the store of FILES_URL, or with new=database into the database.

    People go on attaching and reading. Broken off, it is started again, and goes on.
    """
    moved = moving.move(COMMAND_LINE)
    where = "the store" if moved.to_store else "the database"
    click.echo(f"{moved.count:,} contents ({moved.bytes:,} bytes) are in {where} now.")
    if moved.damaged:
        _name("files whose content is not what it was stay as they are", moved.damaged)
        sys.exit(1)


@files.command("check")
@click.option("--remove-left", is_flag=True, help="Remove what lies in the store and is no file's, for good.")
def check(*, remove_left: bool) -> None:
    """Look whether the store holds what the database says, and what lies there besides, as after a restore."""
    found = store_check.look()
    click.echo(f"{found.in_database:,} contents are in the database, {found.in_store:,} in the store.")
    if found.left and remove_left:
        store_check.remove_left(COMMAND_LINE, found.left)
        click.echo(f"{len(found.left):,} objects that were no file's are removed.")
    elif found.left:
        click.echo(f"{len(found.left):,} objects there are no file's. --remove-left removes them for good: not where")
        click.echo("another database uses the same bucket and prefix.")
    if found.missing:
        _name("files miss their content in the store", found.missing)
        sys.exit(1)


def _name(what: str, ids: list[str]) -> None:
    click.echo(f"{len(ids):,} {what}: {', '.join(ids[:SHOWN])}{', …' if len(ids) > SHOWN else ''}")
