"""What a model wrote of calls in a round: put together from its pieces, and judged before anything is made."""

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flask_app.database import new_id
from flask_app.domain import server_tools
from flask_app.domain.events import ToolCall
from flask_app.domain.tools import (
    FAILED,
    MOST_ARGUMENT_BYTES,
    MOST_CALLS,
    MOST_CALLS_OF_ROUND,
    RUNNING,
    WAITING,
    Call,
    fitting,
)
from flask_app.services.tools.tool_calls import Kept
from flask_app.services.tools.toolbox import Tool, Toolbox

MOST_HEARD = 32  # of a round: there is an answer to each of them, and to no others
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ID = re.compile(r"[!-~]{1,128}")
_TOO_MANY = "Not made: too many calls. Go on with what you have, or make fewer of them."


@dataclass(slots=True)
class _Pieces:
    id: str = ""
    name: str = ""
    parts: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        return "".join(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A call that the model wants: `tool` and `arguments` where it can be made, else its end is in `kept` already."""

    kept: Kept
    tool: Tool | None = None
    arguments: dict[str, Any] | None = None

    @property
    def echo(self) -> dict[str, Any]:
        """What the provider is told that the model wrote: nothing that another one could not read."""
        name = self.kept.call.tool if _NAME.fullmatch(self.kept.call.tool) else "unknown"
        written = "{}" if self.arguments is None else msgspec.json.encode(self.arguments).decode()
        return {"id": self.kept.call_id, "type": "function", "function": {"name": name, "arguments": written}}


class Heard:
    """The calls of one round, as they come."""

    def __init__(self) -> None:
        self._calls: dict[int, _Pieces] = {}

    def take(self, piece: ToolCall) -> None:
        call = self._calls.setdefault(piece.index, _Pieces())
        call.id, call.name = call.id or piece.id or "", piece.name or call.name
        call.parts.append(piece.arguments)

    def wanted(self, box: Toolbox, round_number: int, made_before: int) -> list[Wanted]:
        """What is to be made of them, when so many were in earlier rounds."""
        room = min(MOST_CALLS_OF_ROUND, MOST_CALLS - made_before)
        heard = [self._calls[index] for index in sorted(self._calls)][:MOST_HEARD]
        wanted, ids = list[Wanted](), set[str]()
        for place, pieces in enumerate(heard):
            is_new = _ID.fullmatch(pieces.id) and pieces.id not in ids
            call_id = pieces.id if is_new else f"call_{round_number}_{place}_{new_id()}"
            ids.add(call_id)
            made = _judged(pieces, box, Place(round_number, place, call_id), has_room=room > 0)
            room -= made.tool is not None
            wanted.append(made)
        return wanted


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call stands in its answer."""

    round: int
    position: int
    call_id: str


def _judged(pieces: _Pieces, box: Toolbox, place: Place, *, has_room: bool) -> Wanted:
    tool, arguments = box.find(pieces.name), _parsed(pieces.arguments)
    if tool is None:
        names = ", ".join(each.name for each in box.tools)
        return _unmade(pieces, place, tool, "tool_unknown", f"There is no tool of this name. There are: {names}")
    if arguments is None:
        return _unmade(pieces, place, tool, "tool_bad_arguments", "The arguments are not a JSON object, or too long.")
    if not has_room:
        return _unmade(pieces, place, tool, "tool_too_many", _TOO_MANY)
    call = _call(pieces, place, tool, WAITING if tool.confirms else RUNNING)
    kept = Kept(call=call, call_id=place.call_id, position=place.position, server_id=tool.server_id)
    return Wanted(kept=kept, tool=tool, arguments=arguments)


def _unmade(pieces: _Pieces, place: Place, tool: Tool | None, code: str, words: str) -> Wanted:
    call = _call(pieces, place, tool, FAILED, error_code=code, result=fitting(words))
    server_id = tool.server_id if tool else None
    return Wanted(kept=Kept(call=call, call_id=place.call_id, position=place.position, server_id=server_id))


def _call(pieces: _Pieces, place: Place, tool: Tool | None, status: str, **how: Any) -> Call:
    name = server_tools.line(pieces.name, 128)
    return Call(
        id=new_id(),
        round=place.round,
        server=tool.server[:128] if tool else "",
        tool=name,
        title=tool.title[:200] if tool else name,
        arguments=fitting(pieces.arguments, MOST_ARGUMENT_BYTES),
        status=status,
        **how,
    )


def _parsed(arguments: str) -> dict[str, Any] | None:
    """None where they are no JSON object, or too long. A call without arguments is written as nothing by some."""
    written = arguments.encode("utf-8", "replace") or b"{}"
    if len(written) > MOST_ARGUMENT_BYTES:
        return None
    try:
        return msgspec.json.decode(written, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return None
