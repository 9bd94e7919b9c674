"""`flask tools …`: servers of tools from a terminal; and what the doctor finds of them."""

from collections.abc import Iterator

import pytest
from click.testing import Result
from flask import Flask

from flask_app.database import transaction
from flask_app.models import ToolServer
from flask_app.services.operations import doctor_tools
from flask_app.services.operations.finding import BAD, GOOD, WARNING
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.tools import tool_servers
from tests.support import tooling
from tests.support.mcp_server import TOKEN, McpServer, tool


def run(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["tools", *arguments], input=typed)


def test_a_server_is_added_looked_at_kept_and_removed(app: Flask, workshop: McpServer) -> None:
    group_service.add(tooling.HOUSE, Choices(name="Readers"))
    workshop.tools = [tool("echo", "Says it\nagain."), tool("counts")]
    options = ("--url", workshop.at("locked"), "--secret-stdin", "--group", "Readers", "--no-confirm")
    added = run(app, "add", "Workshop", *options, typed=f"{TOKEN}\n")
    assert added.output == "Workshop is added. See what it has: flask tools look 'Workshop'\n"
    looked = run(app, "look", "workshop")
    assert looked.exit_code == 0, looked.output
    assert looked.output.splitlines()[0] == "  new     echo: Says it again."
    seen = looked.output.splitlines()[-1]
    assert run(app, "keep", "Workshop", seen, "--tool", "echo").output == "Offered: echo\n"
    line = run(app, "list").output.splitlines()[1].split()
    assert line == ["Workshop", workshop.at("locked"), "yes", "on", "at", "once", "1/2", "1"]
    workshop.tools = [tool("echo", "Sends it away.")]
    again = run(app, "look", "Workshop")
    assert "* changed echo: Sends it away." in again.output
    assert "before  Says it again." in again.output
    assert "  gone    counts" in again.output
    changed = run(app, "keep", "Workshop", seen)
    assert (changed.exit_code, changed.output) == (
        1,
        "Error: The server says something else by now. Look at its tools again.\n",
    )
    assert TOKEN not in added.output + looked.output + again.output
    assert run(app, "remove", "Workshop").exit_code == 0
    assert tool_servers.listed() == []


def test_a_server_is_changed_and_switched(app: Flask) -> None:
    tooling.added("https://tools.example.org/mcp", secret=TOKEN)
    run(app, "change", "Workshop", "--name", "Shed", "--no-confirm", "--group", "")
    (found,) = tool_servers.listed()
    assert (found.server.name, found.server.confirms, found.groups) == ("Shed", False, ())
    assert run(app, "switch", "Shed", "off").output == "off\n"
    assert tool_servers.named("shed").server.disabled
    elsewhere = run(app, "change", "Shed", "--url", "https://elsewhere.example/mcp")
    assert (elsewhere.exit_code, "bearer token anew" in elsewhere.output) == (1, True)
    assert run(app, "look", "nobody").output == "Error: There is no server of tools nobody.\n"


def test_one_that_is_not_there_says_so(app: Flask) -> None:
    tooling.added()
    looked = run(app, "look", "Workshop")
    assert (looked.exit_code, "cannot be reached: no connection" in looked.output) == (1, True)


def test_a_wrong_path_is_told_with_its_status(app: Flask, workshop: McpServer) -> None:
    tooling.added(workshop.at("nothing"))
    assert "(HTTP 404). The address may be wrong." in run(app, "look", "Workshop").output
    with app.app_context():
        (found,) = doctor_tools.servers()
    assert "(HTTP 404). The address may be wrong." in found.advice


@pytest.fixture
def found(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.usefixtures("found")
def test_the_doctor_asks_each_server(workshop: McpServer) -> None:
    tooling.offered(workshop.url, "echo")
    tooling.added(name="Away")
    tooling.added(name="Off", disabled=True)
    tooling.added(workshop.at("locked"), name="Unreadable", secret=TOKEN)
    with transaction() as session:
        session.get_one(ToolServer, tool_servers.named("unreadable").server.id).secret = b"\x01spoilt"
    told = {each.what.partition(":")[0]: each.level for each in doctor_tools.servers()}
    assert told == {"tools of Away": WARNING, "tools of Unreadable": BAD, "tools of Workshop": GOOD}
    workshop.tools = [tool("echo", "Sends it away.")]
    changed = next(each for each in doctor_tools.servers() if each.what.startswith("tools of Workshop"))
    assert (changed.level, changed.what) == (WARNING, "tools of Workshop: others than were kept")
