"""`flask site`: what the site is called, what it announces and how long things are kept, from a terminal."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import DAY, Group, Option, several, show
from flask_app.errors import Invalid
from flask_app.services.people import group_service
from flask_app.services.site import (
    announcement_service,
    logo_service,
    retention_settings,
    site_admin_service,
    site_service,
)
from flask_app.services.site.announcement_service import TONES, Listed, Wanted
from flask_app.services.site.retention_settings import Kept

site = Group("site", help="What the site is called, what it announces, and how long things are kept.")
# How an announcement is told, and when.
_ANNOUNCED: tuple[Option, ...] = (
    click.option("--kind", "tone", type=click.Choice(TONES), default=TONES[0], show_default=True),
    click.option("--from", "first", type=DAY, help="The first day, such as 2026-11-25; at once without."),
    click.option("--to", "last", type=DAY, help="The last day; until it is deleted without."),
)


@site.command("show")
def shown() -> None:
    """The site's name, the language for newcomers, and its accent colour."""
    found = site_service.site()
    click.echo(f"name: {found.name or '(as usual)'}\nlanguage: {found.locale or '(as each browser asks)'}")
    click.echo(f"accent: {found.accent or '(as usual)'}")


@site.command("name")
@click.argument("name")
def name(name: str) -> None:
    """Call the site NAME; an empty one is as usual."""
    changed = site_admin_service.change(COMMAND_LINE, replace(site_service.site(), name=name))
    click.echo(changed.name or "(as usual)")


@site.command("language")
@click.argument("locale")
def language(locale: str) -> None:
    """Greet newcomers in LOCALE: zh, zh-Hant, en or ja; an empty one is as each browser asks."""
    changed = site_admin_service.change(COMMAND_LINE, replace(site_service.site(), locale=locale))
    click.echo(changed.locale or "(as each browser asks)")


@site.command("accent")
@click.argument("colour")
def accent(colour: str) -> None:
    """Have what can be acted on in COLOUR, such as #1f5b96; an empty one is as usual."""
    changed = site_admin_service.change(COMMAND_LINE, replace(site_service.site(), accent=colour))
    click.echo(changed.accent or "(as usual)")


@site.command("logo")
@click.argument("file", type=click.File("rb"), required=False)
def logo(file: BinaryIO | None) -> None:
    """Show the PNG or WebP picture in FILE as the site's mark; without one, the usual mark again."""
    if file is None:
        logo_service.remove(COMMAND_LINE)
    else:
        logo_service.choose(COMMAND_LINE, file.read(logo_service.MOST_BYTES + 1))
    found = site_service.site().logo
    click.echo(f"{found.kind}, {found.width} x {found.height}" if found else "(as usual)")


@site.command("announcements")
def announcements() -> None:
    """Every announcement, the newest first."""
    _show(announcement_service.listed())


@site.command("announce")
@click.argument("text")
@several(*_ANNOUNCED)
def announce(text: str, tone: str, first: datetime | None, last: datetime | None) -> None:
    """Tell everybody who is signed in TEXT, above their pages."""
    added = announcement_service.add(COMMAND_LINE, _announced(text, tone, first, last))
    click.echo(added.announcement.id)


@site.command("reannounce")
@click.argument("announcement_id", metavar="ID")
@click.argument("text")
@several(*_ANNOUNCED)
def reannounce(announcement_id: str, text: str, tone: str, first: datetime | None, last: datetime | None) -> None:
    """Change an announcement, by its id: all of it is what is given here. Whoever has closed it sees other words."""
    _show([announcement_service.change(COMMAND_LINE, announcement_id, _announced(text, tone, first, last))])


@site.command("unannounce")
@click.argument("announcement_id", metavar="ID")
def unannounce(announcement_id: str) -> None:
    """Take an announcement away, by its id."""
    announcement_service.delete(COMMAND_LINE, announcement_id)


@site.command("keep")
@click.argument("days", required=False)
@click.option("--group", help="The conversations of this group's people only.")
@click.option("--audit", is_flag=True, help="The audit log instead of conversations.")
@click.option("--yes", is_flag=True, help="Delete what is too old already.")
def keep(*, days: str | None, group: str | None, audit: bool, yes: bool) -> None:
    """Delete conversations DAYS after their last message: a number, `forever`, or of a group `site`.

    Without DAYS, say for how long things are kept.
    """
    kept = retention_settings.kept()
    if days is not None:
        wanted = _wanted(kept, days, group, audit=audit)
        kept = retention_settings.change(COMMAND_LINE, wanted, is_confirmed=yes)
    names = {each.group.id: group_service.shown_name(each.group, "en") for each in group_service.listed()}
    rows = [(f"conversations of {names.get(key, key)}", _days(of)) for key, of in kept.groups.items()]
    show(("WHAT", "DAYS"), [("conversations", _days(kept.days)), *rows, ("audit log", _days(kept.audit_days))])


def _wanted(kept: Kept, days: str, group: str | None, *, audit: bool) -> Kept:
    """Raises Invalid, NotFound("unknown_group")."""
    if days == "site" and group and not audit:
        group_id = group_service.by_name(group).id
        return replace(kept, groups={key: of for key, of in kept.groups.items() if key != group_id})
    if days != "forever" and not days.isdecimal():
        raise Invalid("bad_days_kept", limit=retention_settings.MOST)
    number = None if days == "forever" else int(days)
    if audit:
        return replace(kept, audit_days=number)
    if group:
        return replace(kept, groups={**kept.groups, group_service.by_name(group).id: number})
    return replace(kept, days=number)


def _days(days: int | None) -> str:
    return "forever" if days is None else str(days)


def _announced(text: str, tone: str, first: datetime | None, last: datetime | None) -> Wanted:
    return Wanted(text=text, tone=tone, first=first and first.date(), last=last and last.date())


def _show(announced: Iterable[Listed]) -> None:
    show(("ID", "STATE", "KIND", "FIRST", "LAST", "TEXT"), [_row(each) for each in announced])


def _row(listed: Listed) -> tuple[str, ...]:
    each = listed.announcement
    last = listed.last.isoformat() if listed.last else "-"
    return (each.id, listed.state, each.tone, listed.first.isoformat(), last, each.text.split("\n", 1)[0])
