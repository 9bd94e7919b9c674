"""`flask prompts`: the prompts for everybody or for a group, from a terminal. One's own are nobody else's business."""

import sys
from collections.abc import Callable
from typing import Any

import click

from flask_app.cli_group import Group, show
from flask_app.models import SharedPrompt
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.prompts import shared_prompts
from flask_app.services.prompts.prompt_terms import Asked, Wanted
from flask_app.services.queries import paging

COMMAND_LINE = Actor(user=None)

prompts = Group("prompts", help="The prompts that people find behind a slash.")


def _for_group(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--group", help="The group that it is for; everybody without.")(command)


@prompts.command("list")
def list_prompts() -> None:
    """Every prompt for everybody or for a group, the newest first."""
    rows, before = [], None
    while True:
        page = shared_prompts.listed(Asked(before=before, limit=paging.MAX_PAGE))
        rows += [(f"/{each.command}", _whose(each.group_id, each.group_name), each.title) for each in page.prompts]
        before = page.next
        if before is None:
            break
    show(("COMMAND", "FOR", "TITLE"), rows)


@prompts.command("show")
@click.argument("command")
@_for_group
def shown(command: str, group: str | None) -> None:
    """A prompt's text."""
    click.echo(_found(command, group).text)


@prompts.command("add")
@click.argument("command")
@click.option("--title", required=True, help="What it is for, in a few words.")
@_for_group
def add(command: str, title: str, group: str | None) -> None:
    """Keep a prompt behind /COMMAND; its text is read from standard input."""
    added = shared_prompts.add(COMMAND_LINE, _group_id(group), Wanted(command.lstrip("/"), title, _read()))
    click.echo(f"/{added.command}")


@prompts.command("change")
@click.argument("command")
@_for_group
@click.option("--command", "new_command", help="The command from now on.")
@click.option("--title", help="The title from now on.")
@click.option("--text-stdin", is_flag=True, help="Read another text from standard input.")
@click.option("--to-group", help="Have it for this group from now on.")
@click.option("--to-everybody", is_flag=True, help="Have it for everybody from now on.")
def change(command: str, group: str | None, *, text_stdin: bool, **wanted: Any) -> None:
    """Give a prompt other words, or have it for others."""
    if wanted["to_group"] is not None and wanted["to_everybody"]:
        raise click.UsageError("It is for a group or for everybody: give --to-group or --to-everybody.")
    now = _found(command, group)
    words = Wanted(
        (wanted["new_command"] or now.command).lstrip("/"),
        now.title if wanted["title"] is None else wanted["title"],
        _read() if text_stdin else now.text,
    )
    group_id = _group_id(wanted["to_group"]) if wanted["to_group"] is not None else now.group_id
    changed = shared_prompts.change(COMMAND_LINE, now.id, None if wanted["to_everybody"] else group_id, words)
    click.echo(f"/{changed.command}")


@prompts.command("delete")
@click.argument("command")
@_for_group
def delete(command: str, group: str | None) -> None:
    """Delete a prompt: nobody finds it any more."""
    shared_prompts.delete(COMMAND_LINE, _found(command, group).id)


def _found(command: str, group: str | None) -> SharedPrompt:
    return shared_prompts.by_command(command, _group_id(group))


def _group_id(group: str | None) -> str | None:
    return None if group is None else group_service.by_name(group).id


def _whose(group_id: str | None, name: str | None) -> str:
    return group_service.name_in("en", group_id, name or "") if group_id else "(everybody)"


def _read() -> str:
    """Without the line's end that a terminal adds."""
    return sys.stdin.read().removesuffix("\n")
