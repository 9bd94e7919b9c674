"""`flask requests`: the log of what programs ask, from a terminal."""

from dataclasses import replace
from datetime import datetime

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import DAYS, PAGED, Group, dates, moment, more, several, show
from flask_app.errors import Invalid
from flask_app.models import User
from flask_app.services.gateway import request_retention, request_search
from flask_app.services.gateway.request_retention import Kept
from flask_app.services.gateway.request_search import STATUS_CLASSES, Filter, Found
from flask_app.services.people import group_service

READER = User()  # nobody in particular: days are those of the site's time zone

requests = Group("requests", help="The log of programs' requests.")


@requests.command("list")
@click.option("--user", help="A person's id or name.")
@click.option("--token", help="An access token's id.")
@click.option("--model", help="The model asked for.")
@click.option("--status", type=click.Choice(list(STATUS_CLASSES)))
@click.option("--error", help="Such as model_not_found, or left (by its program).")
@click.option("--id", help="A request's id.")
@several(*DAYS, *PAGED)
def list_requests(
    *, first: datetime | None, last: datetime | None, before: str | None, limit: int, **wanted: str | None
) -> None:
    """What everybody's programs asked, and how it was answered, the newest first."""
    found = request_search.search(READER, Filter(dates=dates(first, last), **wanted), before=before, limit=limit)
    heads = ("WHEN", "PERSON", "TOKEN", "CALL", "MODEL", "STATUS", "ERROR", "ATTEMPTS", "MS", "BYTES", "ID", "RECORD")
    show(heads, [_row(each) for each in found.requests])
    more(found.next)


@requests.command("keep")
@click.argument("days", required=False)
@click.option("--group", help="The requests of this group's people only; `site` instead of DAYS: as everybody's.")
@click.option("--yes", is_flag=True, help="Delete what is too old already.")
def keep(*, days: str | None, group: str | None, yes: bool) -> None:
    """Keep them for so many days; without DAYS, say for how many they are kept."""
    kept = request_retention.kept()
    if days is not None:
        kept = request_retention.keep_for(COMMAND_LINE, _wanted(kept, days, group), is_confirmed=yes)
    names = {each.group.id: group_service.shown_name(each.group, "en") for each in group_service.listed()}
    rows = [(f"of {names[key]}", str(of)) for key, of in kept.groups.items() if key in names]
    show(("REQUESTS", "DAYS"), [("of everybody", str(kept.days)), *rows])


def _row(found: Found) -> tuple[str, ...]:
    row = found.request
    asked = (found.username or row.user_id, found.token_name or row.token_id, row.call, row.model or "-")
    went = (str(row.status), row.error_code or "-", str(row.attempts), f"{row.duration_ms:,}", f"{row.bytes_sent:,}")
    return moment(row.created_at), *asked, *went, row.request_id, found.record_id or "-"


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
