"""Tools of servers (MCP) as answers call them: those that an administrator has kept, of servers granted to a group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from sqlalchemy import Select, select

from flask_app.database import reading
from flask_app.domain import server_tools
from flask_app.errors import Unavailable, UpstreamError
from flask_app.models import GroupToolServer, ServerTool, ToolServer, User
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools import tool_servers
from flask_app.services.tools.choosing import Choice, Source
from flask_app.services.tools.toolbox import Asked, Result
from flask_app.upstream.mcp import CALL_SECONDS, ServerCall

_SAID = {
    "tool_not_granted": "This tool may not be used any more.",
    "mcp_error": "The server of the tool answered with an error.",
    "mcp_timeout": "The server of the tool did not answer in time.",
    "mcp_asks_more": "The tool asks for something that cannot be given to it here.",
}
_STOPPED = "The call was stopped."
_USUAL = "The server of the tool could not be asked, or its answer could not be read."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class McpTool:
    """A tool of a server; `own_name` is what the server calls it. See `toolbox.Tool`."""

    name: str
    own_name: str
    description: str
    parameters: Mapping[str, Any]
    title: str
    server: str
    server_id: str
    confirms: bool

    def call(self, asked: Asked, stop: StopSignal) -> Result:
        """Ask the server, if the person may still use it: what an administrator takes away is taken at once."""
        server = _usable(asked.user_id, self.server_id, self.own_name)
        if server is None or (server.confirms and not self.confirms):  # nobody was asked, and should be by now
            return _failed("tool_not_granted")
        try:
            made = ServerCall(tool_servers.endpoint_of(server), CALL_SECONDS, server.protocol)
            stop.watch_tool(made)
            done = made.call(self.own_name, asked.arguments, self.parameters)
        except UpstreamError as error:
            if stop.status:  # what cutting it off looked like is no fault of the server's
                return Result(_STOPPED, is_error=True)
            log.warning("tool_failed", server=self.server, tool=self.own_name, code=error.code, detail=error.detail)
            return _failed(error.code, error.detail if error.code == "mcp_error" else None)
        except Unavailable as error:
            log.warning("tool_failed", server=self.server, tool=self.own_name, code=error.code)
            return _failed("tool_server_secret_unreadable")
        finally:
            stop.watch_tool(None)
        return Result(done.text, done.is_error, "tool_said_error" if done.is_error else None)


def granted(actor: User) -> list[Choice]:
    """The servers that the person may choose, by their names, with the titles of their tools; none without any."""
    found: dict[str, Choice] = {}
    with reading() as session:
        rows = session.execute(_offered(actor)).all()
    for server, tool in rows:
        before = found.get(server.id)
        titles = (*(before.tools if before else ()), tool.title)
        found[server.id] = Choice(id=server.id, name=server.name, tools=titles)
    return list(found.values())


def of(actor: User, server_ids: Sequence[str]) -> list[McpTool]:
    """The tools of those among these servers that the person may use."""
    tools, taken = list[McpTool](), set[str]()
    with reading() as session:
        rows = session.execute(_offered(actor).where(ToolServer.id.in_(server_ids))).all()
    for server, tool in rows:
        name = server_tools.function_name(server.name, tool.name, taken)
        taken.add(name)
        tools.append(
            McpTool(
                name=name,
                own_name=tool.name,
                description=f"{server.name}: {tool.description or tool.title}",
                parameters=msgspec.json.decode(tool.parameters),
                title=tool.title,
                server=server.name,
                server_id=server.id,
                confirms=server.confirms,
            )
        )
    return tools


SOURCE = Source(granted, of)


def _offered(actor: User) -> Select[ToolServer, ServerTool]:
    return (
        select(ToolServer, ServerTool)
        .join(ServerTool, ServerTool.server_id == ToolServer.id)
        .join(GroupToolServer, GroupToolServer.server_id == ToolServer.id)
        .where(GroupToolServer.group_id == actor.group_id, ~ToolServer.disabled, ServerTool.enabled)
        .order_by(ToolServer.name_key, ToolServer.id, ServerTool.position)
    )


def _usable(user_id: str, server_id: str, name: str) -> ToolServer | None:
    """Where the tool is offered still; at another address nobody has seen what goes by its name."""
    its = select(ToolServer).join(GroupToolServer, GroupToolServer.server_id == ToolServer.id)
    its = its.join(User, User.group_id == GroupToolServer.group_id)
    its = its.join(ServerTool, ServerTool.server_id == ToolServer.id)
    its = its.where(User.id == user_id, ToolServer.id == server_id, ~ToolServer.disabled)
    with reading() as session:
        return session.scalar(its.where(ServerTool.name == name, ServerTool.enabled))


def _failed(code: str, detail: str | None = None) -> Result:
    said = _SAID.get(code, _USUAL)
    return Result(f"{said} {detail}" if detail else said, is_error=True, error_code=code)
