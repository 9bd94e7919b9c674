"""What a tool is to the answer that calls it, and those that are offered to one answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from flask_app.domain.web_sources import Search
from flask_app.services.runs.stop_signal import StopSignal


class Result(msgspec.Struct, frozen=True):
    """What a call came to, in words for the model. `is_error`: it did not work, and `error_code` says why to people."""

    text: str
    is_error: bool = False
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a call is asked with, and for whom: a metered tool writes attempts of its own for it."""

    arguments: dict[str, Any]
    user_id: str
    run_id: str
    question_id: str
    message_id: str  # of the answer
    request_id: str
    address: str
    tell_found: Callable[[Search], object] = bool  # hears what the answer has of pages, once that is committed


class Tool(Protocol):
    """Something that a model may call."""

    @property
    def name(self) -> str:
        """What the model calls it: [A-Za-z0-9_-]{1,64}, and no other tool of the box."""

    @property
    def description(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """A JSON Schema of its arguments."""

    @property
    def title(self) -> str:
        """What people read."""

    @property
    def server(self) -> str:
        """The name of its server, empty where it is built in."""

    @property
    def server_id(self) -> str | None: ...

    @property
    def confirms(self) -> bool:
        """Does each call wait for the person to allow it?"""

    def call(self, asked: Asked, stop: StopSignal) -> Result:
        """Do it. Nothing is raised for what the other side did; a stop (`stop.watch_tool`) ends it at once."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What one answer may call."""

    tools: Sequence[Tool]

    def definitions(self) -> list[dict[str, Any]]:
        """As a provider is told of them."""
        return [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                },
            }
            for tool in self.tools
        ]

    def find(self, name: str) -> Tool | None:
        return next((tool for tool in self.tools if tool.name == name), None)
