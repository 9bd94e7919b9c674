"""Refunds: an entry of the ledger is given back wholly, once, by another entry that is its opposite.

In the statistics it belongs to the moment it is made, so that no sum of a day that is over changes; in budgets to the
day of what it gives back, or today's limits could be passed by as much. See docs/decisions.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, new_id, table_of, utc_now
from flask_app.domain.periods import quarter_of
from flask_app.errors import Conflict, NotFound
from flask_app.models import Attempt, TokenUsage
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import reasons
from flask_app.services.ledger import metering_service, shared_clock

NEGATED = (
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cost_micros",
    "cache_saved_micros",
    "peak_extra_micros",
)

_COLUMNS = tuple(column.name for column in table_of(TokenUsage).columns)


def refund(actor: Actor, record_id: str, reason: str, *, at: datetime | None = None) -> None:
    """Give back the tokens and the money of a record, now if not `at` another moment.

    Raises NotFound, Invalid("bad_reason"), Conflict("not_refundable") for what is a refund itself, and
    Conflict("already_refunded"): of several at once the database lets one through.
    """
    reason = reasons.checked(reason)

    def work(session: Session) -> None:
        entry = session.get(TokenUsage, record_id)
        if entry is None:
            raise NotFound
        if entry.kind != "usage":
            raise Conflict("not_refundable")
        now = shared_clock.ask(session.connection())  # an id says when it was written (`balance_check`)
        row = _opposite(entry, reason, at or utc_now()) | {"id": new_id(now), "token_id": _token_of(session, entry)}
        metering_service.book(session.connection(), row)
        details = {
            "refund": row["id"],
            "reason": reason,
            "user_id": entry.user_id,
            "tokens": entry.prompt_tokens + entry.completion_tokens,
            "cost_micros": entry.cost_micros,
            "currency": entry.currency,
        }
        audit_service.record(session, actor.user, "usage.refund", entry.id, details, actor.address)

    try:
        in_transaction(work)
    except IntegrityError as error:
        raise Conflict("already_refunded") from error


def _token_of(session: Session, entry: TokenUsage) -> str | None:
    """An entry of before tokens had limits leaves it to its attempt, as `spending_check` takes it from there."""
    if entry.token_id is None and entry.channel == "api":
        return session.scalar(select(Attempt.token_id).where(Attempt.id == entry.attempt_id))
    return entry.token_id


def _opposite(entry: TokenUsage, reason: str, now: datetime) -> dict[str, Any]:
    """No time passed and no token came: only what the entry took is given back."""
    row = {name: getattr(entry, name) for name in _COLUMNS}
    given_back = {name: None if row[name] is None else -row[name] for name in NEGATED}
    return (
        row
        | given_back
        | {
            "kind": "refund",
            "reason": reason,
            "duration_ms": 0,
            "first_token_ms": None,
            "quarter": quarter_of(now),
            "created_at": now,
        }
    )
