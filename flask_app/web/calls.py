"""Calls of tools, as JSON."""

from typing import Annotated

import msgspec

from flask_app.domain.tools import MOST_CHOSEN, Call
from flask_app.web.bodies import Reply

# What the model may call: the web (`web`), or servers by their ids.
ChosenTools = Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=MOST_CHOSEN)]


class CallReply(Reply):
    """`status`: waiting (for the person's word), running, done, failed, refused or stopped. `server` is empty where the
    tool is built in. `tool` is what the model calls it, `title` what people read. `arguments` are JSON as it wrote it.
    """

    id: str
    round: int
    server: str
    tool: str
    title: str
    arguments: str
    status: str
    error_code: str | None
    result: str
    duration_ms: int | None


def call_reply(call: Call) -> CallReply:
    return CallReply(**{name: getattr(call, name) for name in CallReply.__struct_fields__})
