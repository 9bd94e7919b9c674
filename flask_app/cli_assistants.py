"""`flask assistants`: those for everybody or for a group, from a terminal. One's own are nobody else's business."""

import sys
from pathlib import Path
from typing import Any, cast

import click

from flask_app.cli_group import Group, show
from flask_app.domain.files import named
from flask_app.domain.serving import EFFORTS, Thinking
from flask_app.services.assistants import shared_assistants, shared_files
from flask_app.services.assistants.assistant_terms import Wanted
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.queries import paging

COMMAND_LINE = Actor(user=None)
USUAL = "usual"
WAYS: dict[str, Thinking | None] = {USUAL: None, "off": False, "on": True, **{effort: effort for effort in EFFORTS}}

assistants = Group("assistants", help="The assistants that people find in a new chat.")


@assistants.command("list")
def list_assistants() -> None:
    """Every assistant for everybody or for a group, the newest first."""
    rows, before = [], None
    while True:
        page = shared_assistants.listed(before, paging.MAX_PAGE)
        rows += [(each.id, _whose(each.group_id, each.group_name), each.name) for each in page.assistants]
        before = page.next
        if before is None:
            break
    show(("ID", "FOR", "NAME"), rows)


@assistants.command("show")
@click.argument("assistant_id")
def shown(assistant_id: str) -> None:
    """An assistant's instructions."""
    click.echo(shared_assistants.one(assistant_id).instructions)


@assistants.command("add")
@click.argument("name")
@click.option("--icon", default="", help="An emoji, or some letters.")
@click.option("--model", help="The model that its conversations begin with; the person's usual one without.")
@click.option("--thinking", type=click.Choice(list(WAYS)), default=USUAL, help="How it thinks first.")
@click.option("--group", help="The group that it is for; everybody without.")
def add(name: str, icon: str, model: str | None, thinking: str, group: str | None) -> None:
    """Keep an assistant; its instructions are read from standard input."""
    wanted = Wanted(name=name, icon=icon, instructions=_read(), model=model, thinking=WAYS[thinking])
    click.echo(shared_assistants.add(COMMAND_LINE, _group_id(group), wanted).id)


@assistants.command("change")
@click.argument("assistant_id")
@click.option("--name", help="The name from now on.")
@click.option("--icon", help="The icon from now on.")
@click.option("--model", help=f"The model from now on; {USUAL} for the person's own choice.")
@click.option("--thinking", type=click.Choice(list(WAYS)), help="How it thinks first from now on.")
@click.option("--instructions-stdin", is_flag=True, help="Read other instructions from standard input.")
@click.option("--to-group", help="Have it for this group from now on.")
@click.option("--to-everybody", is_flag=True, help="Have it for everybody from now on.")
def change(
    assistant_id: str, *, instructions_stdin: bool, to_group: str | None, to_everybody: bool, **given: Any
) -> None:
    """Change an assistant, or have it for others; what is not given stays."""
    if to_group is not None and to_everybody:
        raise click.UsageError("It is for a group or for everybody: give --to-group or --to-everybody.")
    wanted = {name: value for name, value in given.items() if value is not None}
    if "thinking" in wanted:
        wanted["thinking"] = WAYS[wanted["thinking"]]
    if wanted.get("model") == USUAL:
        wanted["model"] = None
    if instructions_stdin:
        wanted["instructions"] = _read()
    whose = (_group_id(to_group),) if to_group is not None or to_everybody else None
    click.echo(shared_assistants.change(COMMAND_LINE, assistant_id, cast("Wanted", wanted), whose=whose).name)


@assistants.command("files")
@click.argument("assistant_id")
def files(assistant_id: str) -> None:
    """The documents that an assistant knows, and about how many tokens each is."""
    known = shared_files.of(shared_assistants.one(assistant_id).id)
    show(("ID", "BYTES", "TOKENS", "NAME"), [(each.id, str(each.bytes), str(each.tokens), each.name) for each in known])


@assistants.command("attach")
@click.argument("assistant_id")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def attach(assistant_id: str, path: Path) -> None:
    """Have an assistant know a document: its words are kept, for models alone to be told."""
    with path.open("rb") as content:
        shared_assistants.attach(COMMAND_LINE, assistant_id, content, named(path.name))


@assistants.command("detach")
@click.argument("assistant_id")
@click.argument("file_id")
def detach(assistant_id: str, file_id: str) -> None:
    """Have an assistant forget a document."""
    shared_assistants.detach(COMMAND_LINE, assistant_id, file_id)


@assistants.command("delete")
@click.argument("assistant_id")
def delete(assistant_id: str) -> None:
    """Delete an assistant: nobody finds it any more, and conversations with it go on without it."""
    shared_assistants.delete(COMMAND_LINE, assistant_id)


def _group_id(group: str | None) -> str | None:
    return None if group is None else group_service.by_name(group).id


def _whose(group_id: str | None, name: str | None) -> str:
    return group_service.name_in("en", group_id, name or "") if group_id else "(everybody)"


def _read() -> str:
    """Without the line's end that a terminal adds."""
    return sys.stdin.read().removesuffix("\n")
