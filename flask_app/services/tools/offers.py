"""Which tools a person may choose for an answer, and those that they chose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask_app.errors import Forbidden
from flask_app.models import User
from flask_app.services.tools.toolbox import Tool, Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something to choose: the web (`domain.tools.WEB`) or a server, with the names of its tools."""

    id: str
    name: str
    description: str = ""
    tools: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where tools come from: what of it is `granted` to a person, and the tools `of` what they chose of that.

    Neither is called inside a transaction.
    """

    granted: Callable[[User], Sequence[Choice]]
    of: Callable[[User, Sequence[str]], Sequence[Tool]]


SOURCES: list[Source] = []


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
