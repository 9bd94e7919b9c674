"""`flask audit`: what was done, by whom, from a terminal."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from flask_app import config
from flask_app.cli_group import DAYS, PAGED, Command, dates, moment, more, several, show
from flask_app.services.audit import audit_search
from flask_app.services.audit.audit_search import Entry, Filter


@click.command("audit", cls=Command)
@click.option("--who", help="A person's name, or (command line).")
@click.option("--action", help="Such as user.change.")
@click.option("--about", help="The id of what it was done to.")
@several(*DAYS, *PAGED)
def audit(
    *,
    who: str | None,
    action: str | None,
    about: str | None,
    first: datetime | None,
    last: datetime | None,
    before: str | None,
    limit: int,
) -> None:
    """What was done to people, keys, prices and settings, the newest first."""
    wanted = Filter(who=who, action=action, about=about, dates=dates(first, last))
    zone = ZoneInfo(config.current().site_timezone)
    found = audit_search.search(zone, wanted, before=before, limit=limit)
    show(("WHEN", "WHO", "FROM", "ACTION", "ABOUT", "DETAILS"), [_row(each) for each in found.entries])
    more(found.next)


def _row(found: Entry) -> tuple[str, ...]:
    row = found.entry
    details = json.dumps(found.details, ensure_ascii=False) if found.details else "-"
    return moment(row.created_at), row.actor_name, row.address or "-", row.action, row.target or "-", details
