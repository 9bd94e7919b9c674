"""The menu of tools in the chat."""

import pytest

from flask_app.models import User
from flask_app.web.tool_choices import tool_choices
from tests.support import tooling
from tests.support.mcp_server import McpServer, tool


@pytest.mark.usefixtures("app")
def test_a_server_of_very_many_tools_makes_no_page_heavy(workshop: McpServer, member: User) -> None:
    workshop.tools = [tool(f"tool{number}") for number in range(40)]
    server = tooling.offered(workshop.url).server
    (choice,) = tool_choices(member)
    assert (choice.id, len(choice.tools), choice.tools[:2], choice.tools[-1]) == (
        server.id,
        25,
        ["tool0", "tool1"],
        "…",
    )
    workshop.tools = workshop.tools[:24]
    tooling.kept(server.id)
    (choice,) = tool_choices(member)
    assert choice.tools[-1] == "tool23"
