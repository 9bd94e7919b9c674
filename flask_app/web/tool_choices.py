"""What a person may have a model call, as the chat page lists it."""

from collections.abc import Sequence

from flask_app.models import User
from flask_app.services.tools import offers
from flask_app.web.bodies import Reply

MOST_NAMED = 24  # of a server's tools: the menu has room for fewer


class ToolChoice(Reply):
    """`id`: "web", or that of a server. `tools`: the names of what it has, of very many the first ones and "…"."""

    id: str
    name: str
    tools: list[str]


def tool_choices(actor: User) -> list[ToolChoice]:
    return [ToolChoice(id=each.id, name=each.name, tools=_named(each.tools)) for each in offers.choices(actor)]


def _named(tools: Sequence[str]) -> list[str]:
    return list(tools) if len(tools) <= MOST_NAMED else [*tools[:MOST_NAMED], "…"]
