"""`flask groups`: the groups of people from a terminal."""

from flask_app import models
from flask_app.cli_group import Group, show
from flask_app.services.people import group_service

groups = Group("groups", help="The groups that people are in.")


@groups.command("list")
def list_groups() -> None:
    """Every group, the default one first: how many people are in it, and its settings."""
    rows = [
        (group_service.shown_name(counted.group, "en"), str(counted.members), _policy(counted.group))
        for counted in group_service.listed()
    ]
    show(("NAME", "PEOPLE", "WHEN THE READER LEAVES"), rows)


def _policy(group: models.Group) -> str:
    return group.on_disconnect if group.on_disconnect_tokens is None else f"{group.on_disconnect_tokens} more tokens"
