"""Calls of tools that come with answers that are imported, as far as they can be kept."""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy.engine import Connection

from flask_app.database import new_id
from flask_app.domain import tools
from flask_app.domain.tools import DONE, FAILED, MOST_ARGUMENT_BYTES, OPEN, REFUSED, STOPPED, Call
from flask_app.services.portability.message_tree import Placed, short
from flask_app.services.tools import tool_calls
from flask_app.services.tools.tool_calls import Kept

MOST = 200  # of an answer: those that were too many are told as well
_MOST_ROUND, _MOST_MS = 1_000, 24 * 3600 * 1000
_NAME_LENGTH, _TITLE_LENGTH = 128, 200
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ENDED = frozenset({DONE, FAILED, REFUSED, STOPPED})


def of(placed: Iterable[Placed]) -> dict[str, list[Call]]:
    """By the ids that the answers get here; a call without the name of a tool is none."""
    found = {
        row["id"]: [_kept(call) for call in said.calls[:MOST] if short(call.tool, _NAME_LENGTH)]
        for row, said in placed
        if said.role == "assistant"
    }
    return {message_id: calls for message_id, calls in found.items() if calls}


def write(connection: Connection, made: Mapping[str, Sequence[Call]]) -> None:
    """Those of each answer, under a run that nobody knows."""
    for message_id, calls in made.items():
        kept = [Kept(call=replace(call, id=new_id()), call_id="", position=at) for at, call in enumerate(calls)]
        tool_calls.write(connection, kept, run_id=new_id(), message_id=message_id)


def bytes_in(calls: Iterable[Call]) -> int:
    """How much of text they are."""
    return sum(len((call.arguments + call.result).encode()) for call in calls)


def _kept(call: Call) -> Call:
    """What it says of itself is as little to be believed as all else in a file."""
    tool = short(call.tool, _NAME_LENGTH) or ""
    duration = call.duration_ms
    return replace(
        call,
        round=min(max(call.round, 1), _MOST_ROUND),
        server=short(call.server, _NAME_LENGTH) or "",
        tool=tool,
        title=short(call.title, _TITLE_LENGTH) or tool,
        arguments=tools.fitting(call.arguments, MOST_ARGUMENT_BYTES),
        status=STOPPED if call.status in OPEN else call.status if call.status in _ENDED else FAILED,
        error_code=call.error_code if call.error_code and _CODE.fullmatch(call.error_code) else None,
        result=tools.fitting(call.result),
        duration_ms=duration if duration is not None and 0 <= duration <= _MOST_MS else None,
    )
