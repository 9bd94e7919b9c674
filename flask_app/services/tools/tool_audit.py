"""The audit log's entries of calls of tools: who had what called, and how it went; never with which words."""

import json
from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of, utc_now
from flask_app.domain.tools import REFUSED, Call
from flask_app.models import AuditEntry, User
from flask_app.services.tools.toolbox import Asked

ACTION = "tool.call"

_entries = table_of(AuditEntry)
_THERE = select(_entries.c.id).where(_entries.c.id.in_(bindparam("ids", expanding=True)))
_NAME = select(User.username).where(User.id == bindparam("person"))


def note(connection: Connection, asked: Asked, calls: Sequence[Call]) -> None:
    """An entry, with the call's id, for each that was made or refused; once, however often it is written."""
    told = [call for call in calls if call.duration_ms is not None or call.status == REFUSED]
    there = set(connection.scalars(_THERE, {"ids": [call.id for call in told]})) if told else set()
    fresh = [call for call in told if call.id not in there]
    if fresh:
        name = connection.scalar(_NAME, {"person": asked.user_id}) or ""
        connection.execute(insert(_entries), [_row(asked, name, call) for call in fresh])


def _row(asked: Asked, name: str, call: Call) -> dict[str, object]:
    details = {"server": call.server, "tool": call.tool, "status": call.status}
    if call.error_code:
        details["error_code"] = call.error_code
    return {
        "id": call.id,
        "actor_id": asked.user_id,
        "actor_name": name,
        "action": ACTION,
        "target": asked.message_id,
        "details": json.dumps(details, ensure_ascii=False, sort_keys=True),
        "address": asked.address,
        "created_at": utc_now(),
    }
