"""`flask tools`: servers of tools (MCP) that models may call, from a terminal."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Function, Group, several, show, typed_line
from flask_app.errors import NotFound
from flask_app.services.people import group_service
from flask_app.services.tools import tool_looks, tool_servers
from flask_app.services.tools.tool_looks import GONE, Look
from flask_app.services.tools.tool_servers import Listed, Wanted

tools = Group("tools", help="Servers of tools (MCP) that models may call, and the groups that have them.")


@tools.command("list")
def list_servers() -> None:
    """Every server, with how many of its tools are offered."""
    show(("NAME", "ADDRESS", "SECRET", "STATE", "CALLS", "TOOLS", "GROUPS"), _rows(tool_servers.listed()))


def _options(*, new: bool) -> Callable[[Function], Function]:
    return several(
        click.option("--url", required=new, help="Its MCP endpoint: https://tools.example.org/mcp"),
        click.option("--secret-stdin", is_flag=True, help="Read its bearer token from standard input."),
        click.option("--confirm/--no-confirm", "confirms", default=None, help="Does each call wait to be allowed?"),
        click.option("--group", "groups", multiple=True, help="Whose people may use it; can be given several times."),
    )


@tools.command("add")
@click.argument("name")
@_options(new=True)
def add(name: str, *, url: str, secret_stdin: bool, confirms: bool | None, groups: tuple[str, ...]) -> None:
    """Add a server. None of its tools is offered before it was looked at and kept."""
    secret = typed_line() if secret_stdin else None
    wanted = Wanted(name=name, url=url, secret=secret, confirms=confirms is not False, groups=_groups(groups))
    added = tool_servers.add(COMMAND_LINE, wanted)
    click.echo(f"{added.server.name} is added. See what it has: flask tools look {added.server.name!r}")


@tools.command("change")
@click.argument("name")
@click.option("--name", "new_name", help="What people call it from now on.")
@_options(new=False)
def change(
    name: str,
    *,
    new_name: str | None,
    url: str | None,
    secret_stdin: bool,
    confirms: bool | None,
    groups: tuple[str, ...],
) -> None:
    """Change what is given; all else stays. Groups are given whole, and '' is none."""
    found = _named(name)
    wanted = tool_servers.wanted_of(found)
    wanted = replace(wanted, name=new_name or wanted.name, url=url or wanted.url)
    wanted = replace(wanted, confirms=wanted.confirms if confirms is None else confirms)
    wanted = replace(wanted, groups=_groups(groups) if groups else wanted.groups)
    wanted = replace(wanted, secret=typed_line() if secret_stdin else None)
    changed = tool_servers.change(COMMAND_LINE, found.server.id, wanted)
    click.echo("\t".join(_rows([changed])[0]))


@tools.command("switch")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
def switch(name: str, state: str) -> None:
    """Have a server called, or not for a while; all else stays."""
    found = _named(name)
    wanted = replace(tool_servers.wanted_of(found), disabled=state == "off")
    tool_servers.change(COMMAND_LINE, found.server.id, wanted)
    click.echo(state)


@tools.command("look")
@click.argument("name")
def look(name: str) -> None:
    """Ask a server which tools it has now, and compare them with those that were kept."""
    _told(tool_looks.look(COMMAND_LINE, _named(name).server.id))


@tools.command("keep")
@click.argument("name")
@click.argument("seen")
@click.option("--tool", "chosen", multiple=True, help="Offer only these; all of them at first.")
def keep(name: str, seen: str, chosen: tuple[str, ...]) -> None:
    """Offer a server's tools as they were SEEN: the last line that `flask tools look` writes."""
    found = _named(name)
    if not chosen:
        now = tool_looks.compared(found)
        chosen = tuple(each.tool.name for each in now.tools if each.state != GONE)
    kept = tool_looks.keep(COMMAND_LINE, found.server.id, seen, chosen)
    click.echo(f"Offered: {', '.join(tool.name for tool in kept.tools if tool.enabled) or '-'}")


@tools.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Have a server called no more."""
    tool_servers.delete(COMMAND_LINE, _named(name).server.id)


def _named(name: str) -> Listed:
    try:
        return tool_servers.named(name)
    except NotFound as error:
        raise click.ClickException(f"There is no server of tools {name}.") from error


def _groups(names: Sequence[str]) -> frozenset[str]:
    return frozenset(group_service.by_name(name).id for name in names if name)


def _rows(found: Sequence[Listed]) -> list[tuple[str, ...]]:
    return [_row(each) for each in found]


def _row(found: Listed) -> tuple[str, ...]:
    server = found.server
    offered = sum(tool.enabled for tool in found.tools)
    secret, state = "yes" if server.secret else "-", "off" if server.disabled else "on"
    calls = "confirmed" if server.confirms else "at once"
    return (server.name, server.url, secret, state, calls, f"{offered}/{len(found.tools)}", str(len(found.groups)))


def _told(seen: Look) -> None:
    for each in seen.tools:
        mark = "*" if each.enabled else " "
        click.echo(f"{mark} {each.state:8}{each.tool.name}: {' '.join(each.tool.description.split())}")
        click.echo(f"            {each.tool.parameters}")
        if each.before:
            click.echo(f"    before  {' '.join(each.before.description.split())}")
            click.echo(f"            {each.before.parameters}")
    if seen.left_out:
        click.echo(f"{seen.left_out} more cannot be offered: too long, or too many.")
    click.echo(f"MCP {seen.protocol}, {seen.latency_ms} ms. To offer them as they are:")
    click.echo(seen.seen)
