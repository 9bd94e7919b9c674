"""Calls of tools as they are stored: written before they are made, ended with what came of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, exists, insert, select, update
from sqlalchemy.engine import Connection

from flask_app.database import table_of, utc_now
from flask_app.domain.tools import OPEN, REFUSED, WAITING, Call
from flask_app.models import Message, ToolCall

_calls, _messages = table_of(ToolCall), table_of(Message)
_OWN = tuple(Call.__struct_fields__)
_TOLD: Select[Any] = select(_calls.c.message_id, *(_calls.c[name] for name in _OWN)).order_by(
    _calls.c.created_at, _calls.c.run_id, _calls.c.round, _calls.c.position
)
_OF_SOME = _TOLD.where(_calls.c.message_id.in_(bindparam("messages", expanding=True)))
_OF_CONVERSATION = _TOLD.join(_messages, _messages.c.id == _calls.c.message_id).where(
    _messages.c.conversation_id == bindparam("conversation")
)
_THERE = select(_calls.c.id).where(_calls.c.run_id == bindparam("run"))
_HAS_MESSAGE = select(exists().where(_messages.c.id == bindparam("message")))
_END = (
    update(_calls)
    .where(_calls.c.id == bindparam("call"), _calls.c.status.in_((*OPEN, REFUSED)))  # why, a refused one has not yet
    .values({name: bindparam(f"new_{name}") for name in ("status", "error_code", "result", "duration_ms")})
)
_END_OF_RUN = (
    update(_calls)
    .where(_calls.c.run_id == bindparam("run"), _calls.c.status.in_(OPEN))
    .values(status=bindparam("new_status"), error_code=bindparam("new_error"))
)
_STANDING = select(_calls.c.status, _calls.c.allows_all).where(_calls.c.id == bindparam("call"))
_OF_RUN = _STANDING.where(_calls.c.run_id == bindparam("run"))
_DECIDE = (
    update(_calls)
    .where(_calls.c.id == bindparam("call"), _calls.c.status == WAITING)
    .values(status=bindparam("new_status"), allows_all=bindparam("all_of_them"))
)
# Is there one for a message that a statement reads?
OF_MESSAGE = exists().where(_calls.c.message_id == _messages.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A call with what its run knows beside what readers are told: the provider's id of it, and whose tool it is."""

    call: Call
    call_id: str
    position: int
    server_id: str | None = None


def write(connection: Connection, calls: Sequence[Kept], *, run_id: str, message_id: str) -> None:
    """Those that are not there yet, as they stand. None where the message has gone."""
    there = set(connection.scalars(_THERE, {"run": run_id}))
    fresh = [each for each in calls if each.call.id not in there]
    if fresh and connection.scalar(_HAS_MESSAGE, {"message": message_id}):
        shared = {"run_id": run_id, "message_id": message_id, "allows_all": False, "created_at": utc_now()}
        connection.execute(insert(_calls), [shared | _row(each) for each in fresh])


def end(connection: Connection, calls: Iterable[Call]) -> None:
    """Write what came of them, once: what another wrote meanwhile stays."""
    for call in calls:
        told = {f"new_{name}": getattr(call, name) for name in ("status", "error_code", "result", "duration_ms")}
        connection.execute(_END, {"call": call.id, **told})


def end_of_run(connection: Connection, run_id: str, *, status: str, error_code: str | None) -> None:
    """The same of a run whose worker died: what came of its last calls nobody has."""
    connection.execute(_END_OF_RUN, {"run": run_id, "new_status": status, "new_error": error_code})


def has_run(connection: Connection, run_id: str) -> bool:
    """Has it had rounds?"""
    return connection.execute(_THERE, {"run": run_id}).first() is not None


def standing(connection: Connection, call_id: str) -> Row[str, bool] | None:
    """Its status, and whether further ones of its server were allowed with it."""
    return connection.execute(_STANDING, {"call": call_id}).one_or_none()


def is_of_run(connection: Connection, run_id: str, call_id: str) -> bool:
    return connection.execute(_OF_RUN, {"run": run_id, "call": call_id}).one_or_none() is not None


def decide(connection: Connection, call_id: str, status: str, *, all_of_them: bool = False) -> bool:
    """Allow or refuse one that waits for it; False for another."""
    decided = {"call": call_id, "new_status": status, "all_of_them": all_of_them}
    return connection.execute(_DECIDE, decided).rowcount == 1


def of_messages(connection: Connection, message_ids: Sequence[str]) -> dict[str, list[Call]]:
    """In the order in which they were made, of the messages that have some."""
    return _by_message(connection.execute(_OF_SOME, {"messages": list(message_ids)})) if message_ids else {}


def of_conversation(connection: Connection, conversation_id: str) -> dict[str, list[Call]]:
    return _by_message(connection.execute(_OF_CONVERSATION, {"conversation": conversation_id}))


def _row(kept: Kept) -> dict[str, Any]:
    own = {name: getattr(kept.call, name) for name in _OWN}
    return {**own, "call_id": kept.call_id, "position": kept.position, "server_id": kept.server_id}


def _by_message(rows: Iterable[Row[Any]]) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = {}
    for row in rows:
        call = Call(**{name: getattr(row, name) for name in _OWN})
        found.setdefault(row.message_id, []).append(call)
    return found
