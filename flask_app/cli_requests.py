"""`flask requests`: the log of what programs ask, from a terminal."""

from dataclasses import replace

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Group, show
from flask_app.errors import Invalid
from flask_app.services.gateway import request_retention
from flask_app.services.gateway.request_retention import Kept
from flask_app.services.people import group_service

requests = Group("requests", help="The log of programs' requests.")


@requests.command("keep")
@click.argument("days", required=False)
@click.option("--group", help="The requests of this group's people only; `site` instead of DAYS: as everybody's.")
def keep(*, days: str | None, group: str | None) -> None:
    """Keep them for so many days; without DAYS, say for how many they are kept."""
    kept = request_retention.kept()
    if days is not None:
        kept = request_retention.keep_for(COMMAND_LINE, _wanted(kept, days, group))
    names = {each.group.id: group_service.shown_name(each.group, "en") for each in group_service.listed()}
    rows = [(f"of {names[key]}", str(of)) for key, of in kept.groups.items() if key in names]
    show(("REQUESTS", "DAYS"), [("of everybody", str(kept.days)), *rows])


def _wanted(kept: Kept, days: str, group: str | None) -> Kept:
    """Raises Invalid, NotFound("unknown_group")."""
    group_id = group_service.by_name(group).id if group is not None else None
    if group_id and days == "site":
        return replace(kept, groups={key: of for key, of in kept.groups.items() if key != group_id})
    if not days.isdecimal():
        raise Invalid("bad_retention", limit=request_retention.MOST)
    if group_id:
        return replace(kept, groups={**kept.groups, group_id: int(days)})
    return replace(kept, days=int(days))
