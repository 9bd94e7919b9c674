"""Tools for tests: one that is offered to people, calls of it that a model makes, and what came of them."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from flask_app.database import new_id, reading, writing
from flask_app.domain.tools import WAITING, Call
from flask_app.models import Attempt, AuditEntry, Message, TokenUsage, ToolCall, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.runs import run_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools import offers, tool_calls
from flask_app.services.tools.offers import Choice, Source
from flask_app.services.tools.tool_calls import Kept
from flask_app.services.tools.toolbox import Asked, Result, Tool
from tests.support.clients import PageClient
from tests.support.events import ServerEvent, events_of
from tests.support.scripted_upstream import Answer, Usage

SKY = "sky"  # the server's id
QUESTION = "How is the weather in Oslo?"
ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
JSON = {"Accept": "application/json", "Accept-Language": "en"}
OSLO = '{"city": "Oslo"}'


@dataclass
class Weather:
    """A tool that says the same each time, at once or when it is let go."""

    name: str = "sky__weather"
    description: str = "How the weather is."
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    title: str = "Weather"
    server: str = "Sky"
    server_id: str | None = SKY
    confirms: bool = False
    result: Result = Result("sunny")  # noqa: RUF009 - it is frozen
    asked: list[Asked] = field(default_factory=list)
    is_held: bool = False
    released: threading.Event = field(default_factory=threading.Event)
    is_shut: bool = False

    def call(self, asked: Asked, stop: StopSignal) -> Result:
        self.asked.append(asked)
        stop.watch_tool(self)
        if self.is_held:
            assert self.released.wait(20), "somebody lets it go, or ends it"
        return self.result

    def shutdown(self) -> None:
        self.is_shut = True
        self.released.set()


@contextmanager
def offered(*tools: Tool, server_id: str = SKY) -> Iterator[None]:
    """To everybody, as a server of tools."""
    choice = Choice(id=server_id, name="Sky", tools=[tool.title for tool in tools])
    source = Source(lambda _: [choice], lambda _actor, _ids: tools)
    offers.SOURCES.append(source)
    try:
        yield
    finally:
        offers.SOURCES.remove(source)


def calling(*calls: tuple[str, str], text: str = "", thinking: str = "") -> Answer:
    """A model that calls: each a name and its arguments."""
    pieces = [
        {"index": place, "id": f"call_{place}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for place, (name, arguments) in enumerate(calls)
    ]
    deltas = tuple({"tool_calls": [piece]} for piece in pieces)
    usage = Usage(prompt=40, completion=20, reasoning=5 if thinking else 0)  # the script counts words alone
    return Answer(text=text, thinking=thinking, deltas=deltas, finish_reason="tool_calls", usage=usage)


def ask(client: PageClient, message: str = QUESTION, **fields: Any) -> list[ServerEvent]:
    """The whole answer to a question for which a model may call tools, as its reader got it."""
    return events_of(client.post("/api/chat", json={"message": message, "tools": [SKY]} | fields).data)


def ask_whole(client: PageClient, message: str = QUESTION, **fields: Any) -> Any:
    """The same as JSON."""
    return client.post("/api/chat", json={"message": message, "tools": [SKY]} | fields, headers=JSON).json


def followed(member: User, begun: Begun) -> list[ServerEvent]:
    """All that a reader hears who comes now."""
    return events_of(b"".join(run_service.read(member, begun.run_id, after=0, locale="en")))


def begin(member: User, message: str = QUESTION, **fields: Any) -> Begun:
    return chat_service.send(member, Draft(text=message, tools=(SKY,), **fields), ORIGIN)


def waiting(started: Mapping[str, str]) -> str:
    """A call that waits in the answer of this run; gives its id."""
    call = Call(id=new_id(), round=1, server="Sky", tool="t", title="T", arguments="{}", status=WAITING)
    kept = Kept(call=call, call_id="call_0", position=0, server_id=SKY)
    with writing() as connection:
        tool_calls.write(connection, [kept], run_id=started["run_id"], message_id=started["message_id"])
    return call.id


def told(events: Sequence[ServerEvent]) -> list[tuple[str, str]]:
    """Of each event of a call: which tool, and how it stood."""
    return [(event.data["tool"], event.data["status"]) for event in events if event.name == "tool"]


def calls() -> list[ToolCall]:
    with reading() as session:
        return list(session.scalars(select(ToolCall).order_by(ToolCall.created_at, ToolCall.round, ToolCall.position)))


def standing() -> list[tuple[str, str | None]]:
    """How the calls stand."""
    return [(call.status, call.error_code) for call in calls()]


def attempts() -> list[tuple[str, str | None]]:
    """State and error of each, the oldest first."""
    with reading() as session:
        found = session.scalars(select(Attempt).order_by(Attempt.id)).all()
        return [(each.state, each.error_code) for each in found]


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.id)))


def answer() -> Message:
    with reading() as session:
        return session.scalars(select(Message).where(Message.role == "assistant")).one()


def audited() -> list[dict[str, Any]]:
    with reading() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.action == "tool.call").order_by(AuditEntry.id))
        return [json.loads(entry.details) for entry in found]
