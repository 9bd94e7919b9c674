"""What must be true of calls of tools once everything has ended, whatever happened before."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from flask_app.database import reading
from flask_app.domain.tools import DONE, OPEN, REFUSED
from flask_app.models import Attempt, AuditEntry, Message, Run, ToolCall
from flask_app.services.tools import tool_audit
from tests.support import called
from tests.support.ledger_workshop import ENDS, Workshop
from tests.support.upstream_journal import Journal


def check(journal: Journal, workshop: Workshop) -> None:
    """Each call was made once at most, has ended, is noted if it was made or refused, and was told as it is stored."""
    calls = called.calls()
    with reading() as session:
        noted = Counter(session.scalars(select(AuditEntry.id).where(AuditEntry.action == tool_audit.ACTION)))
    assert set(workshop.made.values()) <= {1}, "no call is made twice"
    for call in calls:
        _check_one(call, workshop.made[call.call_id.removeprefix("call_")], noted[call.id])
    stored = {call.call_id: call.result for call in calls}
    for request in journal.chats:
        _check_told(request.body.get("messages", []), stored)
    _check_texts(journal)


def _check_one(call: ToolCall, made: int, noted: int) -> None:
    assert call.status not in OPEN
    assert made or call.status != DONE or call.tool not in ENDS, "what is done was made"
    assert not (made and call.status == REFUSED), "what was refused was not"
    if call.tool in ENDS and (made or call.status == REFUSED):
        assert noted == 1, (call.status, call.error_code)
    assert noted <= 1


def _check_told(messages: Sequence[dict[str, Any]], stored: dict[str, str]) -> None:
    """Each turn of calls is followed by what came of each of them, as the database has it."""
    results = iter(messages)
    for message in results:
        for wanted in message.get("tool_calls", ()):
            result = next(results)
            assert (result["role"], result["tool_call_id"]) == ("tool", wanted["id"])
            assert stored.get(wanted["id"], result["content"]) == result["content"]


def _check_texts(journal: Journal) -> None:
    """A whole answer of one run is what its rounds said, in order."""
    requests = {request.headers["x-request-id"]: request for request in journal.chats}
    with reading() as session:
        runs = Counter(session.scalars(select(Run.message_id)))
        whole = select(Message.id, Message.text).where(Message.role == "assistant", Message.status == "complete")
        answers = [row for row in session.execute(whole) if runs[row.id] == 1]
        heard = select(Attempt.id, Attempt.message_id).where(Attempt.state == "settled").order_by(Attempt.id)
        attempts = session.execute(heard).all()
    for answer in answers:
        own = [requests.get(attempt.id) for attempt in attempts if attempt.message_id == answer.id]
        assert answer.text.split() == " ".join(request.text_sent for request in own if request).split()
