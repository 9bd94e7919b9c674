"""How the keys stand: their state, what they are doing now, and how they fared in the last 24 hours.

The number of queries does not grow with the keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, case, func, select
from sqlalchemy.orm import Session, joinedload

from flask_app.database import reading, table_of
from flask_app.domain import cooldown
from flask_app.domain.periods import quarter_of
from flask_app.models import ApiKey, Attempt
from flask_app.services.ledger.rollup import DETAIL, rollup
from flask_app.services.ledger.shared_clock import shared

WINDOW = timedelta(hours=24)
FAILURES = tuple(cooldown.RULES)

_attempts = table_of(Attempt)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a key did in the window; `live` is now. Milliseconds are means, None where nothing was answered."""

    live: int = 0
    requests: int = 0
    failures: int = 0
    duration_ms: int | None = None
    first_token_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """`state`: ready, full, benched, due (the next request probes it), probing or disabled."""

    key: ApiKey
    state: str
    figures: Figures


def listed() -> list[KeyStatus]:
    """Every key that is not deleted, with its provider, the oldest first."""
    return _statuses(with_provider().where(ApiKey.deleted_at.is_(None)).order_by(ApiKey.created_at, ApiKey.id))


def of(key_id: str) -> KeyStatus:
    """One key that exists."""
    return _statuses(with_provider().where(ApiKey.id == key_id))[0]


def troubled() -> list[KeyStatus]:
    """The keys that met a failure and have not been accepted since, without their figures: benched, or due."""
    now = shared()
    used = (ApiKey.deleted_at.is_(None), ~ApiKey.disabled, ApiKey.secret.is_not(None))
    query = with_provider().where(*used, ApiKey.benched_until.is_not(None)).order_by(ApiKey.created_at, ApiKey.id)
    with reading() as session:
        keys = session.scalars(query).all()
    return [KeyStatus(key, _state(key, Figures(), now), Figures()) for key in keys]


def with_provider() -> Select[ApiKey]:
    return select(ApiKey).options(joinedload(ApiKey.provider))


def _statuses(query: Select[ApiKey]) -> list[KeyStatus]:
    now = shared()
    with reading() as session:
        keys = session.scalars(query).all()
        figures = _figures(session, now)
    return [KeyStatus(key, _state(key, found, now), found) for key, found in _paired(keys, figures)]


def _paired(keys: Sequence[ApiKey], figures: dict[str, Figures]) -> list[tuple[ApiKey, Figures]]:
    return [(key, figures.get(key.id, Figures())) for key in keys]


def _state(key: ApiKey, figures: Figures, now: datetime) -> str:
    if key.disabled or key.secret is None:
        return "disabled"
    if key.benched_until is None:
        return "full" if key.max_concurrent and figures.live >= key.max_concurrent else "ready"
    waits = key.probe_until is not None and key.probe_until > now
    if waits and figures.live and key.probe_until != key.benched_until:
        return "probing"
    return "benched" if key.benched_until > now else "due"


def _figures(session: Session, now: datetime) -> dict[str, Figures]:
    since = now - WINDOW
    live = _by_key(session, _attempts, {"live": func.count()}, _attempts.c.state == "dispatched")
    failed = func.sum(case((_attempts.c.error_code.in_(FAILURES), 1), else_=0))
    ended = (_attempts.c.state.in_(("settled", "released")), _attempts.c.created_at >= since)
    counts = _by_key(session, _attempts, {"requests": func.count(), "failures": failed}, *ended)
    sums = {name: func.sum(rollup.c[name]) for name in ("requests", "duration_ms", "begun_requests", "first_token_ms")}
    times = _by_key(session, rollup, sums, rollup.c.slice == DETAIL.name, rollup.c.block >= quarter_of(since))
    return {key_id: _gathered(live.get(key_id), counts.get(key_id), times.get(key_id)) for key_id in live | counts}


def _by_key(session: Session, table: Table, figures: dict[str, Any], *where: ColumnElement[bool]) -> dict[str, Any]:
    columns = [column.label(name) for name, column in figures.items()]
    query = select(table.c.key_id, *columns).where(*where).group_by(table.c.key_id)
    return {row.key_id: row for row in session.execute(query) if row.key_id}


def _gathered(live: Any, counts: Any, times: Any) -> Figures:
    """MariaDB gives sums as decimals: they become integers here."""
    return Figures(
        live=live.live if live else 0,
        requests=counts.requests if counts else 0,
        failures=int(counts.failures) if counts else 0,
        duration_ms=_mean(times.duration_ms, times.requests) if times else None,
        first_token_ms=_mean(times.first_token_ms, times.begun_requests) if times else None,
    )


def _mean(total: int, count: int) -> int | None:
    return int(total) // int(count) if count else None
