"""Servers of tools as JSON, for administrators."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from flask_app.domain.server_tools import MAX_NAME, MOST_TOOLS, FoundTool
from flask_app.models import ServerTool
from flask_app.services.tools import tool_servers
from flask_app.services.tools.tool_looks import Look, SeenTool
from flask_app.services.tools.tool_servers import Listed, Wanted
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.groups import GroupName, group_names

ToolName = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
State = Literal["new", "changed", "same", "gone"]


class ToolServerBody(Body):
    """`url` is the address of its MCP endpoint (Streamable HTTP); `secret` is sent as `Authorization: Bearer`, null
    leaves it as it is and empty takes it away. `confirms`: each call waits for the person to allow it. `groups` are the
    ids of those whose people may use it.
    """

    name: Words
    url: Words
    secret: Words | None = None
    confirms: bool = True
    disabled: bool = False
    groups: Annotated[list[Words], msgspec.Meta(max_length=1000)] = msgspec.field(default_factory=list)

    def wanted(self) -> Wanted:
        return Wanted(
            name=self.name,
            url=self.url,
            secret=self.secret,
            confirms=self.confirms,
            disabled=self.disabled,
            groups=frozenset(self.groups),
        )


class KeepTools(Body):
    """`seen` is that of the look; `enabled` are the names of the tools that are offered from now on."""

    seen: Annotated[str, msgspec.Meta(max_length=64)]
    enabled: Annotated[list[ToolName], msgspec.Meta(max_length=MOST_TOOLS)]


class ToolReply(Reply):
    """A tool in its server's words. `parameters` is the JSON Schema of its arguments."""

    name: str
    title: str
    description: str
    parameters: dict[str, Any]


class KeptToolReply(ToolReply):
    """`enabled`: it is offered."""

    enabled: bool


class ToolServerReply(Reply):
    """`protocol` is the version of MCP that it spoke at `looked_at`; both are null before it was looked at."""

    id: str
    name: str
    url: str
    has_secret: bool
    confirms: bool
    disabled: bool
    protocol: str | None
    looked_at: datetime | None
    tools: list[KeptToolReply]
    groups: list[str]
    created_at: datetime


class ToolServersReply(Reply):
    """By their names."""

    servers: list[ToolServerReply]


class ToolsState(ToolServersReply):
    """What the page begins with."""

    groups: list[GroupName]


class SeenToolReply(ToolReply):
    """`state` is "new", "changed" (it was kept as `before`), "same", or "gone" (the server has it no more)."""

    state: State
    enabled: bool
    before: ToolReply | None


class LookReply(Reply):
    """What the server says now. `left_out` counts tools that cannot be offered: too long, or more than are taken."""

    seen: str
    protocol: str
    latency_ms: int
    left_out: int
    tools: list[SeenToolReply]


def tool_server_reply(listed: Listed) -> ToolServerReply:
    server = listed.server
    return ToolServerReply(
        id=server.id,
        name=server.name,
        url=server.url,
        has_secret=server.secret is not None,
        confirms=server.confirms,
        disabled=server.disabled,
        protocol=server.protocol,
        looked_at=server.looked_at,
        tools=[_kept(tool) for tool in listed.tools],
        groups=list(listed.groups),
        created_at=server.created_at,
    )


def tool_servers_reply() -> ToolServersReply:
    return ToolServersReply(servers=[tool_server_reply(each) for each in tool_servers.listed()])


def tools_state() -> ToolsState:
    return ToolsState(servers=tool_servers_reply().servers, groups=group_names())


def look_reply(look: Look) -> LookReply:
    return LookReply(
        seen=look.seen,
        protocol=look.protocol,
        latency_ms=look.latency_ms,
        left_out=look.left_out,
        tools=[_seen(each) for each in look.tools],
    )


def _seen(seen: SeenTool) -> SeenToolReply:
    state: State = seen.state  # type: ignore[assignment]
    before = ToolReply(**_told(seen.before)) if seen.before else None
    return SeenToolReply(**_told(seen.tool), state=state, enabled=seen.enabled, before=before)


def _kept(tool: ServerTool) -> KeptToolReply:
    return KeptToolReply(**_told(tool), enabled=tool.enabled)


def _told(tool: FoundTool | ServerTool) -> dict[str, Any]:
    parameters = msgspec.json.decode(tool.parameters)
    return {"name": tool.name, "title": tool.title, "description": tool.description, "parameters": parameters}
