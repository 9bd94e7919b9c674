"""What an operator should know of servers of tools: does each answer, with the tools that were looked at?"""

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from flask_app.errors import Unavailable, UpstreamError
from flask_app.i18n import translate
from flask_app.services.operations.finding import BAD, GOOD, WARNING, Finding
from flask_app.services.tools import tool_looks, tool_servers
from flask_app.services.tools.tool_servers import Listed


def servers() -> Iterator[Finding]:
    """Each that is switched on is asked for its tools; no tool is called. Nothing where the database is away."""
    try:
        found = tool_servers.listed()
    except DBAPIError:
        return
    for each in found:
        if not each.server.disabled:
            yield _server(each)


def _server(found: Listed) -> Finding:
    what = f"tools of {found.server.name}"
    try:
        now = tool_looks.compared(found)
    except UpstreamError as error:
        return Finding(WARNING, f"{what}: cannot be asked", translate("en", f"error.{error.code}", **error.params))
    except Unavailable:
        return Finding(BAD, f"{what}: its secret cannot be decrypted", "Enter it anew (Admin, Tools).")
    if not now.is_as_kept:
        return Finding(WARNING, f"{what}: others than were kept", "Look at them again (Admin, Tools).")
    offered = sum(tool.enabled for tool in found.tools)
    return Finding(GOOD, f"{what}: {offered} offered, {now.latency_ms / 1000:.1f} s")
