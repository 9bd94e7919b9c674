"""The audit log's entries of calls of tools: who had what called, and how it went; never with which words."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from flask_app.domain.tools import CHANNEL, FAILED, REFUSED, RUNNING, STOPPED, Call
from flask_app.models import Attempt, ToolCall
from flask_app.services.audit import audit_service
from flask_app.services.tools import tool_calls
from flask_app.services.tools.toolbox import Asked

ACTION = "tool.call"

_LEFT = select(ToolCall.id, ToolCall.server, ToolCall.tool, ToolCall.status, ToolCall.error_code).where(
    ToolCall.run_id == bindparam("run"), ToolCall.status.in_((RUNNING, REFUSED))
)
_WHOSE = (
    select(Attempt.user_id, Attempt.message_id, Attempt.address)
    .where(Attempt.run_id == bindparam("run"), Attempt.channel == CHANNEL)
    .limit(1)
)


class _Called(NamedTuple):
    id: str
    server: str
    tool: str
    status: str
    error_code: str | None


def note(connection: Connection, asked: Asked, calls: Sequence[Call]) -> None:
    """An entry, with the call's id, for each that was made or refused; once, however often it is written."""
    told = [call for call in calls if call.duration_ms is not None or call.status == REFUSED]
    called = [_Called(call.id, call.server, call.tool, call.status, call.error_code) for call in told]
    _write(connection, called, asked.user_id, asked.message_id, asked.address)


def end_of_run(connection: Connection, run_id: str, *, is_stopped: bool) -> None:
    """End the calls of a run whose worker died. Those that were on their way may have been made, and are noted; so are
    those that the person had refused.
    """
    status, error_code = (STOPPED, None) if is_stopped else (FAILED, "interrupted")
    left = [_Called(*call) for call in connection.execute(_LEFT, {"run": run_id})]
    called = [call if call.status == REFUSED else call._replace(status=status, error_code=error_code) for call in left]
    if called:
        user_id, message_id, address = connection.execute(_WHOSE, {"run": run_id}).one()
        _write(connection, called, user_id, message_id or "", address)
    tool_calls.end_of_run(connection, run_id, status=status, error_code=error_code)


def _write(connection: Connection, called: Iterable[_Called], user_id: str, message_id: str, address: str) -> None:
    entries = {call.id: _details(call) for call in called}
    audit_service.record_once(connection, user_id, ACTION, message_id, entries, address)


def _details(call: _Called) -> dict[str, str]:
    details = {"server": call.server, "tool": call.tool, "status": call.status}
    return {**details, "error_code": call.error_code} if call.error_code else details
