"""What a person may have a model call, as the chat page lists it."""

from flask_app.models import User
from flask_app.services.tools import offers
from flask_app.web.bodies import Reply


class ToolChoice(Reply):
    """`id`: "web", or that of a server. `tools`: the names of what it has."""

    id: str
    name: str
    tools: list[str]


def tool_choices(actor: User) -> list[ToolChoice]:
    return [ToolChoice(id=each.id, name=each.name, tools=list(each.tools)) for each in offers.choices(actor)]
