"""Servers of tools as an administrator would have added them."""

from typing import Any

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tools import tool_looks, tool_servers
from flask_app.services.tools.tool_looks import GONE
from flask_app.services.tools.tool_servers import Listed, Wanted

HOUSE = Actor(None)
NOWHERE = "http://127.0.0.1:9/mcp"


def added(url: str = NOWHERE, **fields: Any) -> Listed:
    """For everybody's group, and looked at by nobody yet."""
    usual: dict[str, Any] = {"name": "Workshop", "groups": frozenset({DEFAULT_GROUP_ID})}
    return tool_servers.add(HOUSE, Wanted(url=url, **usual | fields))


def offered(url: str, *names: str, **fields: Any) -> Listed:
    """With these of its tools, or all of them, as the server describes them now."""
    return kept(added(url, **fields).server.id, *names)


def kept(server_id: str, *names: str) -> Listed:
    now = tool_looks.look(HOUSE, server_id)
    every = [each.tool.name for each in now.tools if each.state != GONE]
    return tool_looks.keep(HOUSE, server_id, now.seen, names or every)


def seen(server_id: str) -> str:
    return tool_looks.look(HOUSE, server_id).seen
