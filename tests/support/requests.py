"""The rows of programs' requests, as they stand once all has ended."""

from typing import Any

from sqlalchemy import select

from flask_app.database import new_id, reading, utc_now
from flask_app.models import ProgramRequest
from flask_app.services.gateway import request_log
from flask_app.services.runs import run_service
from tests.support.brokers import wait_until


def logged() -> list[ProgramRequest]:
    """All rows, the oldest first."""
    wait_until(lambda: not run_service.live_runs())
    assert request_log.write()
    with reading() as session:
        return list(session.scalars(select(ProgramRequest).order_by(ProgramRequest.id)))


def only() -> ProgramRequest:
    (row,) = logged()
    return row


def row(**fields: Any) -> dict[str, Any]:
    """One of a request that went well."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "request_id": new_id(),
        "user_id": "somebody",
        "token_id": "a token",
        "call": "chat.completions",
        "model": "deepseek-flash",
        "actual_model": "deepseek-flash",
        "status": 200,
        "error_code": None,
        "attempts": 1,
        "attempt_id": new_id(),
        "first_token_ms": 300,
        "duration_ms": 1200,
        "bytes_sent": 2345,
        "address": "192.0.2.1",
        "created_at": utc_now(),
    }
    made = usual | fields
    return {**made, "status_class": made["status"] // 100}
