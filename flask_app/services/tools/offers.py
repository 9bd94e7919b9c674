"""Which tools a person may choose for an answer, and those that they chose."""

from collections.abc import Sequence

from flask_app.domain.tools import MOST_OFFERED
from flask_app.errors import Forbidden, Invalid
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
    """The tools of what was chosen, None for none. Not inside a transaction.

    Raises Forbidden("tool_not_granted"), Invalid("too_many_tools_chosen").
    """
    left, tools = set(chosen), list[Tool]()
    for source in SOURCES if left else ():
        granted = [choice.id for choice in source.granted(actor) if choice.id in left]
        left.difference_update(granted)
        tools += source.of(actor, granted) if granted else ()
    if left:
        raise Forbidden("tool_not_granted")
    if len(tools) > MOST_OFFERED:
        raise Invalid("too_many_tools_chosen", limit=MOST_OFFERED)
    return Toolbox(tools) if tools else None
