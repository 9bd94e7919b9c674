"""Tools as OpenAI's Responses API has them, and the functions that a provider of chat completions is given for them."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

from flask_app.errors import BadRequest
from flask_app.web.completions import MAX_TOOLS, Name, Sent

MAX_NAME = 64  # of a function at a provider
_SIGNED = 8  # so much of a digest stands for what is cut off a name


class FlatFunction(Sent, tag_field="type", tag="function"):
    """A function of the client's own. Which tools may call it and when it is loaded has no effect."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    output_schema: dict[str, Any] | None = None
    allowed_callers: list[str] | None = None
    defer_loading: bool | None = None

    def passed(self, namespace: str | None) -> dict[str, object]:
        own = {"description": self.description, "parameters": self.parameters, "strict": self.strict}
        given = {name: value for name, value in own.items() if value is not None}
        return {"type": "function", "function": {"name": sent_name(namespace, self.name), **given}}


class ToolNamespace(Sent, tag_field="type", tag="namespace"):
    """Functions that belong together."""

    name: Name
    tools: Annotated[list[FlatFunction], msgspec.Meta(max_length=MAX_TOOLS)]
    description: str | None = None


class WebSearchTool(msgspec.Struct, tag_field="type", tag="web_search"):
    """Agents offer it unless they are told otherwise. There is none here: it is left out."""


AnyTool = FlatFunction | ToolNamespace | WebSearchTool


class FunctionChoice(Sent, tag_field="type", tag="function"):
    name: Name

    def passed(self, tools: Sequence[AnyTool]) -> dict[str, object]:
        return {"type": "function", "function": {"name": self.sent(tools)}}

    def sent(self, tools: Sequence[AnyTool]) -> str:
        """The name that its provider knows: that of the first of `tools` which is called so."""
        spaces = [space for space, function in _functions(tools) if function.name == self.name]
        return sent_name(spaces[0], self.name) if spaces and None not in spaces else self.name


class AllowedTools(Sent, tag_field="type", tag="allowed_tools"):
    """Which of the tools may be called now: a provider is told of no others."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[FunctionChoice | WebSearchTool], msgspec.Meta(min_length=1, max_length=MAX_TOOLS)]

    def sent(self, tools: Sequence[AnyTool]) -> set[str]:
        return {each.sent(tools) for each in self.tools if isinstance(each, FunctionChoice)}


def sent_name(namespace: str | None, name: str) -> str:
    """What a provider, which knows no namespaces, gets a function as."""
    full = f"{namespace}__{name}" if namespace else name
    if len(full) <= MAX_NAME:
        return full
    return f"{full[: MAX_NAME - _SIGNED - 1]}_{hashlib.sha256(full.encode()).hexdigest()[:_SIGNED]}"


def passed(tools: Sequence[AnyTool], choice: object) -> list[dict[str, object]]:
    """The functions of all tools that may be called. Raises BadRequest for too many."""
    found = list(_functions(tools))
    if len(found) > MAX_TOOLS:
        raise BadRequest("too_many_tools", field="tools", limit=MAX_TOOLS)
    allowed = choice.sent(tools) if isinstance(choice, AllowedTools) else None
    return [
        function.passed(space)
        for space, function in found
        if allowed is None or sent_name(space, function.name) in allowed
    ]


def names(tools: Sequence[AnyTool]) -> dict[str, tuple[str, str]]:
    """Namespace and name of those that a provider gets by another name."""
    return {sent_name(space, function.name): (space, function.name) for space, function in _functions(tools) if space}


def _functions(tools: Sequence[AnyTool]) -> Iterator[tuple[str | None, FlatFunction]]:
    for tool in tools:
        if isinstance(tool, FlatFunction):
            yield None, tool
        elif isinstance(tool, ToolNamespace):
            yield from ((tool.name, function) for function in tool.tools)
