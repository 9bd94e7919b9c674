"""What a server of tools (MCP) says of them, made fit to be kept, shown and told to a model.

All of it is somebody else's words: control characters go, what is too long is cut or left out.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

MOST_TOOLS = 128  # of one server
MAX_NAME, MAX_TITLE, MAX_DESCRIPTION, MAX_SCHEMA = 128, 128, 2000, 16 << 10
MAX_DEPTH = 32  # of what is within what in a schema: each line of a deep one would begin further on
MAX_FUNCTION = 64  # characters of what a model calls it
MAX_TEXT = 1 << 20  # characters of a result

# What is no visible character, or turns the reading direction; lines and tabs may stay. Tags, and variants of nothing,
# are whole sentences to a model that no person sees.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]+|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
)
_NO_LETTER = re.compile(r"[^A-Za-z0-9_-]+")
_NOT_SHOWN = {"image": "[image]", "audio": "[audio]"}


@dataclass(frozen=True, slots=True)
class FoundTool:
    """A tool as its server describes it: `parameters` is the JSON Schema of its arguments, as JSON."""

    name: str
    title: str
    description: str
    parameters: str


class _Said(msgspec.Struct, rename="camel"):
    """Anything may be missing or be of another kind."""

    name: object = None
    title: object = None
    description: object = None
    input_schema: object = None


def read_tool(said: object) -> FoundTool | None:
    """None for what cannot be offered: without a name or with too long a one, or with no schema that has room.

    What the schema says is cleaned as all else is: a model reads that, too.
    """
    try:
        told = msgspec.convert(said, type=_Said)
    except msgspec.ValidationError:
        return None
    name, parameters = told.name, _schema(told.input_schema)
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable() or parameters is None:
        return None
    title = line(told.title, MAX_TITLE) or name
    return FoundTool(name, title, words(told.description, MAX_DESCRIPTION), parameters)


def line(said: object, limit: int) -> str:
    """One line of what somebody else wrote, cut; empty where it is no text."""
    return " ".join(words(said, limit * 4).split())[:limit] if isinstance(said, str) else ""


def words(said: object, limit: int) -> str:
    """The same with its lines."""
    return _INVISIBLE.sub(" ", said[: limit * 2]).strip()[:limit] if isinstance(said, str) else ""


def function_name(server: str, tool: str, taken: Collection[str]) -> str:
    """What a model calls a tool: letters, figures, `_` and `-`, and none of those that are `taken`."""
    first, second = _slug(server)[:24] or "tools", _slug(tool) or "tool"
    whole = f"{first}__{second}"[:MAX_FUNCTION]
    number = 1
    while whole in taken:
        number += 1
        whole = f"{first}__{second}"[: MAX_FUNCTION - len(f"_{number}")] + f"_{number}"
    return whole


def told(content: object, structured: object = None) -> str:
    """What a result says, as text: what is no text is named. Where no text is, the structured content in JSON."""
    blocks = [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []
    parts = [_part(each) for each in blocks]
    if structured is not None and not any(each.get("type") == "text" for each in blocks):
        parts.append(msgspec.json.encode(structured).decode())
    return _INVISIBLE.sub(" ", "\n\n".join(filter(None, parts))[:MAX_TEXT])


def mirrored(parameters: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What of the arguments is to stand in headers as well (`x-mcp-header`, since 2026-07-28): name and value."""
    properties = parameters.get("properties")
    for key, schema in properties.items() if isinstance(properties, dict) else ():
        value = arguments.get(key)
        if not isinstance(schema, dict) or value is None:
            continue
        if isinstance(value, dict):
            yield from mirrored(schema, value)
            continue
        header = schema.get("x-mcp-header")
        if isinstance(header, str) and header and not _NO_LETTER.search(header) and isinstance(value, str | int | bool):
            yield header, ("true" if value else "false") if isinstance(value, bool) else str(value)


def _part(block: dict[str, Any]) -> str:
    kind = block.get("type")
    if kind == "text":
        text = block.get("text")
        return text if isinstance(text, str) else ""
    if kind == "resource_link":
        return f"[link: {line(block.get('uri'), 500)}]"
    if kind == "resource":
        return _resource(block.get("resource"))
    return _NOT_SHOWN.get(kind, "[content]") if isinstance(kind, str) else ""


def _resource(found: object) -> str:
    if not isinstance(found, dict):
        return ""
    text = found.get("text")
    return text if isinstance(text, str) else f"[file: {line(found.get('uri'), 500)}]"


def _schema(said: object) -> str | None:
    if not isinstance(said, dict):
        return None
    schema = {"type": "object", **{key: value for key, value in said.items() if key != "$schema"}}
    if schema["type"] != "object":
        return None
    try:
        written = msgspec.json.encode(schema).decode()
    except (RecursionError, UnicodeError, ValueError, TypeError):
        return None
    if len(written) > MAX_SCHEMA or _is_deep(schema, MAX_DEPTH):
        return None
    return _INVISIBLE.sub(" ", written)


def _is_deep(value: object, left: int) -> bool:
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not left or any(_is_deep(each, left - 1) for each in within)


def _slug(name: str) -> str:
    return _NO_LETTER.sub("_", name).strip("_")
