"""Which tools a person may choose for an answer, and those that they chose."""

from collections.abc import Sequence

from flask_app.errors import Forbidden
from flask_app.models import User
from flask_app.services.tools import mcp_tools, web_tools
from flask_app.services.tools.choosing import Choice, Source
from flask_app.services.tools.toolbox import Tool, Toolbox

__all__ = ["SOURCES", "Choice", "Source", "choices", "toolbox"]

SOURCES: list[Source] = [web_tools.SOURCE, mcp_tools.SOURCE]


def choices(actor: User) -> list[Choice]:
    """What there is to choose for the person, in the order in which it is shown."""
    return [choice for source in SOURCES for choice in source.granted(actor)]


def toolbox(actor: User, chosen: Sequence[str]) -> Toolbox | None:
    """The tools of what was chosen, None for none. Raises Forbidden("tool_not_granted"). Not inside a transaction."""
    left, tools = set(chosen), list[Tool]()
    for source in SOURCES if left else ():
        granted = [choice.id for choice in source.granted(actor) if choice.id in left]
        left.difference_update(granted)
        tools += source.of(actor, granted) if granted else ()
    if left:
        raise Forbidden("tool_not_granted")
    return Toolbox(tools) if tools else None
