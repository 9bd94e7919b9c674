"""Servers of tools (MCP) that models may call: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.tools import tool_looks, tool_servers
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import accepts, refuses, returns
from flask_app.web.client import client_address
from flask_app.web.tools import (
    KeepTools,
    LookReply,
    ToolServerBody,
    ToolServerReply,
    ToolServersReply,
    look_reply,
    tool_server_reply,
    tool_servers_reply,
)

blueprint = Blueprint("admin_tools", __name__, url_prefix="/api/admin/tool-servers")


@blueprint.get("")
@require_permission("tools")
@returns(ToolServersReply)
def listed() -> ToolServersReply:
    """Every server of tools, with the tools that were kept of it and the groups that have it."""
    return tool_servers_reply()


@blueprint.post("")
@require_permission("tools")
@require_proof
@accepts(ToolServerBody)
@returns(ToolServerReply, 201)
def add(body: ToolServerBody) -> ToolServerReply:
    """Add a server of tools (MCP over Streamable HTTP). Its secret is returned by nothing.

    None of its tools is offered before it was looked at, and what was seen kept.
    """
    return tool_server_reply(tool_servers.add(_actor(), body.wanted()))


@blueprint.put("/<tool_server_id>")
@require_permission("tools")
@require_proof
@accepts(ToolServerBody)
@returns(ToolServerReply)
def change(tool_server_id: str, body: ToolServerBody) -> ToolServerReply:
    """Change a server, or which groups have it. Holds from the next call on.

    At another host its secret is needed anew (422 `tool_server_secret_anew`), and at another address its tools are to
    be looked at anew.
    """
    return tool_server_reply(tool_servers.change(_actor(), tool_server_id, body.wanted()))


@blueprint.delete("/<tool_server_id>")
@require_permission("tools")
@require_proof
@returns(None, 204)
def delete(tool_server_id: str) -> None:
    """Have it called no more. What was called stays in the conversations."""
    tool_servers.delete(_actor(), tool_server_id)


@blueprint.post("/<tool_server_id>/look")
@require_permission("tools")
@returns(LookReply)
def look(tool_server_id: str) -> LookReply:
    """Ask a server which tools it has now, and compare them with those that were kept. Nothing changes by that."""
    return look_reply(tool_looks.look(_actor(), tool_server_id))


@blueprint.put("/<tool_server_id>/tools")
@require_permission("tools")
@require_proof
@accepts(KeepTools)
@returns(ToolServerReply)
@refuses(409, "`tools_changed`: the server says something else than what was seen; look again.")
def keep(tool_server_id: str, body: KeepTools) -> ToolServerReply:
    """Keep what was seen of a server's tools, and say which are offered: as they are described now, and only so."""
    return tool_server_reply(tool_looks.keep(_actor(), tool_server_id, body.seen, body.enabled))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
