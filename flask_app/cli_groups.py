"""`flask groups`: the groups of people from a terminal."""

import click

from flask_app import models
from flask_app.cli_group import Group, show
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service, managing_service

groups = Group("groups", help="The groups that people are in.")


@groups.command("list")
def list_groups() -> None:
    """Every group, the default one first: how many people are in it, and its settings."""
    rows = [
        (group_service.shown_name(counted.group, "en"), str(counted.members), _policy(counted.group))
        for counted in group_service.listed()
    ]
    show(("NAME", "PEOPLE", "WHEN THE READER LEAVES"), rows)


@groups.command("managers")
@click.argument("group")
@click.argument("names", nargs=-1)
@click.option("--nobody", is_flag=True, help="Let nobody manage it any more.")
def managers(group: str, names: tuple[str, ...], *, nobody: bool) -> None:
    """Who manages a group; with names: these people and nobody else."""
    group_id = group_service.by_name(group).id
    if names or nobody:
        managing_service.appoint(Actor(user=None), group_id, () if nobody else names)
    for name in managing_service.names_of([group_id]).get(group_id, []):
        click.echo(name)


def _policy(group: models.Group) -> str:
    return group.on_disconnect if group.on_disconnect_tokens is None else f"{group.on_disconnect_tokens} more tokens"
