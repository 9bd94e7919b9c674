"""Looking at what a server of tools says now, and keeping what was seen: nothing else of it reaches models."""

import hashlib
import time
from collections.abc import Collection
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, new_id, utc_now
from flask_app.domain.server_tools import FoundTool
from flask_app.errors import Conflict, Invalid
from flask_app.models import ServerTool, ToolServer
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tools import tool_servers
from flask_app.services.tools.tool_servers import Listed
from flask_app.upstream.mcp import LIST_SECONDS, Listing, ServerCall

NEW, CHANGED, SAME, GONE = "new", "changed", "same", "gone"


@dataclass(frozen=True, slots=True)
class SeenTool:
    """A tool as its server describes it now (as it was kept, where it is GONE), and `before`, where it is CHANGED.

    `enabled`: is it offered now?
    """

    state: str
    tool: FoundTool
    before: FoundTool | None = None
    enabled: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What a server says now. `seen` stands for all of it: who keeps it says so."""

    seen: str
    protocol: str
    tools: tuple[SeenTool, ...]
    left_out: int
    latency_ms: int

    @property
    def is_as_kept(self) -> bool:
        return all(each.state == SAME for each in self.tools)


def look(actor: Actor, server_id: str) -> Look:
    """Ask the server, keeping nothing. Raises NotFound, UpstreamError, Unavailable."""
    found = tool_servers.one(server_id)
    details = {"name": found.server.name, "host": tool_servers.host_of(found.server)}
    audit_service.note(actor, "tool_server.look", server_id, details)
    return compared(found)


def compared(found: Listed) -> Look:
    """What the server says now, beside what was kept of it. Raises UpstreamError, Unavailable."""
    began = time.monotonic()
    listing = ServerCall(tool_servers.endpoint_of(found.server), LIST_SECONDS).tools()
    took = int((time.monotonic() - began) * 1000)
    kept = {tool.name: tool for tool in found.tools}
    seen = [_seen(tool, kept.get(tool.name)) for tool in listing.tools]
    said = {tool.name for tool in listing.tools}
    gone = [SeenTool(GONE, _as_found(tool), enabled=tool.enabled) for tool in found.tools if tool.name not in said]
    return Look(_digest(found.server, listing), listing.protocol, (*seen, *gone), listing.left_out, took)


def keep(actor: Actor, server_id: str, seen: str, enabled: Collection[str]) -> Listed:
    """Offer these tools of the server from now on, as they were `seen`; the others are kept, and not offered.

    Raises NotFound, UpstreamError, Invalid("unknown_tool"), and Conflict("tools_changed") where the server says
    something else by now, or another look was kept meanwhile.
    """
    found = tool_servers.one(server_id)
    now = compared(found)
    if now.seen != seen:
        raise Conflict("tools_changed")
    tools = [each.tool for each in now.tools if each.state != GONE]
    if set(enabled) - {tool.name for tool in tools}:
        raise Invalid("unknown_tool")

    def work(session: Session) -> None:
        server = tool_servers.locked(session, server_id)
        if server.url != found.server.url:
            raise Conflict("tools_changed")
        before = tool_servers.tools_of(session, server_id)
        for tool in before:
            session.delete(tool)
        session.flush()
        session.add_all(_row(server_id, place, tool, enabled=tool.name in enabled) for place, tool in enumerate(tools))
        server.protocol, server.looked_at = now.protocol, utc_now()
        offered = audit_service.difference({"offered": _names(before)}, {"offered": ", ".join(sorted(enabled))})
        changed = [each.tool.name for each in now.tools if each.state != SAME]
        details = {"name": server.name, "changed": ", ".join(sorted(changed)), **offered}
        audit_service.record(session, actor.user, "tool_server.keep", server.id, details, actor.address)

    in_transaction(work)
    return tool_servers.one(server_id)


def _names(tools: Collection[ServerTool]) -> str:
    return ", ".join(sorted(tool.name for tool in tools if tool.enabled))


def _seen(tool: FoundTool, kept: ServerTool | None) -> SeenTool:
    if kept is None:
        return SeenTool(NEW, tool)
    before = _as_found(kept)
    seen = SeenTool(SAME, tool, enabled=kept.enabled)
    return seen if before == tool else replace(seen, state=CHANGED, before=before)


def _as_found(kept: ServerTool) -> FoundTool:
    return FoundTool(kept.name, kept.title, kept.description, kept.parameters)


def _row(server_id: str, position: int, tool: FoundTool, *, enabled: bool) -> ServerTool:
    row = ServerTool(id=new_id(), server_id=server_id, name=tool.name, title=tool.title, position=position)
    row.description, row.parameters, row.enabled = tool.description, tool.parameters, enabled
    return row


def _digest(server: ToolServer, listing: Listing) -> str:
    """Of what the server says, in whatever order it does, and from where."""
    told = [[tool.name, tool.title, tool.description, tool.parameters] for tool in listing.tools]
    return hashlib.sha256(msgspec.json.encode([server.url, sorted(told)])).hexdigest()
