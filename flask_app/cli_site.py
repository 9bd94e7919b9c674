"""`flask site`: what the site is called, what it announces and how long things are kept, from a terminal."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import DAY, Group, Option, several, show
from flask_app.cli_web_search import search, try_search
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

site = Group("site", help="What the site is called, what it announces, how long things are kept, who searches the web.")
site.add_command(search)
site.add_command(try_search)
# Where `Kept` has the days of all, and those of groups, and how others are refused.
_TALKS, _FILES = ("days", "groups", "bad_days_kept"), ("file_days", "file_groups", "bad_file_days")
_AUDIT = ("audit_days", None, "bad_audit_retention")
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
@click.option("--group", help="What is this group's people's only.")
@click.option("--files", is_flag=True, help="What is in files, since they were last attached, not conversations.")
@click.option("--audit", is_flag=True, help="The audit log instead of conversations.")
@click.option("--yes", is_flag=True, help="Delete what is too old already.")
def keep(*, days: str | None, group: str | None, files: bool, audit: bool, yes: bool) -> None:
    """Delete conversations DAYS after their last message: a number, `forever`, or of a group `site`.

    With --files, what is in files that were last attached DAYS ago; their messages keep the names.

    Without DAYS, say for how long things are kept.
    """
    if files and audit:
        raise click.UsageError("Either --files or --audit.")
    kept = retention_settings.kept()
    if days is not None:
        wanted = _wanted(kept, days, group, _AUDIT if audit else _FILES if files else _TALKS)
        kept = retention_settings.change(COMMAND_LINE, wanted, is_confirmed=yes)
    names = {each.group.id: group_service.shown_name(each.group, "en") for each in group_service.listed()}
    rows = []
    for what, of_all, of_groups in (
        ("conversations", kept.days, kept.groups),
        ("files", kept.file_days, kept.file_groups),
    ):
        rows += [(what, _days(of_all))]
        rows += [(f"{what} of {names.get(key, key)}", _days(of)) for key, of in of_groups.items()]
    show(("WHAT", "DAYS"), [*rows, ("audit log", _days(kept.audit_days))])


def _wanted(kept: Kept, days: str, group: str | None, named: tuple[str, str | None, str]) -> Kept:
    """Raises Invalid, NotFound("unknown_group")."""
    of_all, of_groups, refusal = named
    if days != "forever" and not days.isdecimal() and not (days == "site" and group and of_groups):
        raise Invalid(refusal, limit=retention_settings.MOST, least=retention_settings.AUDIT_LEAST)
    number = int(days) if days.isdecimal() else None
    changed: dict[str, Any] = {of_all: number}
    if group and of_groups:
        group_id = group_service.by_name(group).id
        rules = {key: of for key, of in getattr(kept, of_groups).items() if key != group_id}
        changed = {of_groups: rules if days == "site" else {**rules, group_id: number}}
    return replace(kept, **changed)


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
