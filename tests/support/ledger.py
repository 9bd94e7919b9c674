"""Ledger entries for tests, written as the token path writes them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.engine import Connection

from flask_app import database, engines
from flask_app.database import Base, fetching, new_id, reading, transaction
from flask_app.domain.periods import quarter_of
from flask_app.models import Attempt, TokenUsage
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import rollup, spending, usage_check_service
from flask_app.services.ledger.usage_check_service import Finding
from flask_app.statements import run_together
from tests.support.storage import filled

# What `flask usage verify` reads.
VERIFIED = {"budgets", "proxy_logs", "spent_daily", "spent_monthly", "token_usage", "top_ups", "usage_hourly"}


def entry(user_id: str, moment: datetime, **fields: Any) -> TokenUsage:
    """An entry of `moment`: 100 prompt tokens (60 cached), 50 for the answer (20 thinking), at 1,000 CNY micros."""
    settled: dict[str, Any] = {
        "id": new_id(),
        "attempt_id": new_id(),
        "kind": "usage",
        "provider_id": "provider",
        "key_id": None,
        "channel": "chat",
        "model": "deepseek-flash",
        "source": "reported",
        "outcome": "complete",
        "prompt_tokens": 100,
        "cached_tokens": 60,
        "completion_tokens": 50,
        "reasoning_tokens": 20,
        "cost_micros": 1000,
        "cache_saved_micros": 300,
        "peak_extra_micros": 0,
        "currency": "CNY",
        "peak": False,
        "duration_ms": 1200,
        "first_token_ms": 300,
    }
    return TokenUsage(user_id=user_id, created_at=moment, quarter=quarter_of(moment), **(settled | fields))


def write(entries: Iterable[TokenUsage]) -> list[TokenUsage]:
    """With the attempts of those whose attempt is not there yet."""
    written = list(entries)
    with transaction() as session:
        known = set(session.scalars(select(Attempt.id)))
        session.add_all(attempt_of(each) for each in written if each.kind == "usage" and each.attempt_id not in known)
        session.add_all(written)
        session.flush()
        for each in written:
            count(session.connection(), row_of(each))
    return written


def count(connection: Connection, entry: dict[str, Any]) -> None:
    """Add an entry to all that is counted from the ledger."""
    run_together(connection, *spending.additions(entry), rollup.addition(entry))


def attempt_of(entry: TokenUsage) -> Attempt:
    """The one that it settled."""
    same = ("user_id", "token_id", "message_id", "provider_id", "key_id", "channel", "model", "group_id", "day")
    kept = {name: getattr(entry, name) for name in (*same, "created_at")}
    asked = {"request_id": new_id(), "prompt_estimate": entry.prompt_tokens, "address": "192.0.2.1"}
    return Attempt(id=entry.attempt_id, state="settled", bytes_received=0, **kept, **asked)


def row_of(row: Base) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def forget(attempts: ColumnElement[bool]) -> None:
    """As if these attempts (a condition on the ledger) had not been settled."""
    with transaction() as session:
        session.execute(delete(TokenUsage).where(attempts))
    usage_check_service.rebuild(Actor(None))


def unsound() -> list[Finding]:
    """What `flask usage verify` says: nothing."""
    return list(usage_check_service.verify())


def is_untouched() -> bool:
    """`flask usage verify` would look at nothing but empty tables."""
    with fetching() as connection:
        return filled(connection).isdisjoint(VERIFIED)


def unsound_at(url: str) -> list[Finding]:
    """The same of another database than the process's own, which must be migrated."""
    own, database._engines = database._engines, engines.Engines(url, engines.REPLY_SECONDS)
    try:
        return unsound()
    finally:
        database.disconnect()
        database._engines = own


def newest_first(entries: Iterable[TokenUsage]) -> list[str]:
    """Their ids in the order of pages."""
    return [entry.id for entry in sorted(entries, key=lambda entry: (entry.created_at, entry.id), reverse=True)]


def states() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Attempt.state).order_by(Attempt.id)))


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.id)))
