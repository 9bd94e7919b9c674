"""What could explain that a provider took more or less than was booked: the records and attempts of a day's window.

The number of queries does not grow with them.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from flask_app.database import reading, table_of
from flask_app.domain.peak_calendar import Calendar
from flask_app.domain.reconciliation import LAG
from flask_app.errors import NotFound
from flask_app.models import Attempt, Reconciliation, Tariff, TokenUsage, User
from flask_app.services.reconciliation_service import longest_answer

SHOWN = 10  # of each kind; all are counted
NEAR = timedelta(minutes=1)  # so far may two clocks be apart at the edge of peak hours

# In the order in which they are worth a look.
KINDS = (
    "unbooked",
    "released",
    "open",
    "unpriced",
    "partial",
    "estimated",
    "peak_edge",
    "price_change",
    "refunded",
)

_ledger, _attempts, _users, _tariffs = (table_of(model) for model in (TokenUsage, Attempt, User, Tariff))
_SHOWN_OF_BOTH = ("id", "created_at", "model", "key_id", "user_id", "currency")
_OF_ENTRY = (*_SHOWN_OF_BOTH, "kind", "source", "outcome", "cost_micros", "tariff_id", "duration_ms")
_ENTRY = select(*(_ledger.c[name] for name in _OF_ENTRY), _users.c.username).outerjoin(
    _users, _users.c.id == _ledger.c.user_id
)
_OF_ATTEMPT = (*_SHOWN_OF_BOTH, "reserved_micros")
_ATTEMPT = select(*(_attempts.c[name] for name in _OF_ATTEMPT), _users.c.username).outerjoin(
    _users, _users.c.id == _attempts.c.user_id
)
_BOOKED = exists().where(_ledger.c.attempt_id == _attempts.c.id, _ledger.c.kind == "usage")
# What a provider refused outright it does not bill.
_MAY_BE_BILLED = or_(_attempts.c.status_code.is_(None), _attempts.c.status_code < 400, _attempts.c.bytes_received > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A record, or an attempt that has none: then `micros` is the most that it may cost. Of a price, only its start."""

    id: str
    at: datetime
    model: str
    key_id: str | None = None
    user_id: str | None = None
    username: str | None = None
    micros: int | None = None
    currency: str | None = None


@dataclass(slots=True)
class Clue:
    """`micros` adds up what `count` of a kind cost, or may cost at most, in the account's currency."""

    kind: str
    count: int
    micros: int
    items: list[Item]


@dataclass(frozen=True, slots=True)
class _Window:
    since: datetime
    until: datetime
    keys: list[str]


def of(reconciliation_id: str) -> list[Clue]:
    """What is there of each kind, in the order of KINDS; raises NotFound."""
    with reading() as session:
        day = session.get(Reconciliation, reconciliation_id)
    if day is None:
        raise NotFound
    return between(day.since, day.until, json.loads(day.booked_by_key), day.currency)


def between(since: datetime, until: datetime, keys: Iterable[str], currency: str) -> list[Clue]:
    """The same of two readings of an account with these keys."""
    window = _Window(since - LAG, until + LAG, list(keys))
    with reading() as session:
        found = [*_of_entries(session, window), *_of_attempts(session, window), *_of_prices(session, window)]
    return _gathered(found, currency)


def _gathered(found: Iterable[tuple[str, Item]], currency: str) -> list[Clue]:
    clues = {kind: Clue(kind, 0, 0, []) for kind in KINDS}
    for kind, item in found:
        clue = clues[kind]
        clue.count += 1
        clue.micros += item.micros or 0 if item.currency == currency else 0
        clue.items.append(item)
    for clue in clues.values():
        clue.items = sorted(clue.items, key=lambda item: -abs(item.micros or 0))[:SHOWN]
    return [clue for clue in clues.values() if clue.count]


def _of_entries(session: Session, window: _Window) -> Iterator[tuple[str, Item]]:
    rows = session.execute(_ENTRY.where(*_asked_in(_ledger, window))).all()
    calendars = {row.id: row.calendar for row in session.execute(select(_tariffs.c.id, _tariffs.c.calendar))}
    for row in rows:
        if row.created_at + timedelta(milliseconds=row.duration_ms) <= window.since:
            continue
        for kind in _kinds(row, calendars.get(row.tariff_id)):
            yield kind, _item(row, row.cost_micros)


def _kinds(row: Any, calendar: str | None) -> Iterator[str]:
    if row.kind == "refund":
        yield "refunded"
        return
    if row.source == "estimated":
        yield "estimated" if row.outcome == "complete" else "partial"
    if row.cost_micros is None:
        yield "unpriced"
    if calendar and _is_at_an_edge(Calendar.parse(calendar), row):
        yield "peak_edge"


def _is_at_an_edge(calendar: Calendar, row: Any) -> bool:
    """Did peak hours begin or end while the answer was made, or in the minute before or after?"""
    ended = row.created_at + timedelta(milliseconds=row.duration_ms)
    return calendar.is_peak(row.created_at - NEAR) is not calendar.is_peak(ended + NEAR)


def _of_attempts(session: Session, window: _Window) -> Iterator[tuple[str, Item]]:
    state = _attempts.c.state
    kinds: dict[str, ColumnElement[bool]] = {
        "open": state == "dispatched",
        "released": and_(state == "released", _MAY_BE_BILLED),
        "unbooked": and_(state == "settled", ~_BOOKED),
    }
    for kind, condition in kinds.items():
        for row in session.execute(_ATTEMPT.where(condition, *_asked_in(_attempts, window))):
            yield kind, _item(row, row.reserved_micros)


def _of_prices(session: Session, window: _Window) -> Iterator[tuple[str, Item]]:
    """Prices of models in use that began meanwhile."""
    began = (_tariffs.c.starts_at > window.since, _tariffs.c.starts_at <= window.until)
    used = exists().where(
        or_(_ledger.c.model == _tariffs.c.model, _ledger.c.actual_model == _tariffs.c.model),
        *_asked_in(_ledger, window),
    )
    for row in session.execute(select(_tariffs).where(*began, used)):
        yield "price_change", Item(id=row.id, at=row.starts_at, model=row.model, currency=row.currency)


def _asked_in(table: Any, window: _Window) -> tuple[ColumnElement[bool], ...]:
    """Asked for within the window, or so shortly before it that the answer may have ended in it."""
    earliest = window.since - longest_answer()
    return table.c.key_id.in_(window.keys), table.c.created_at > earliest, table.c.created_at <= window.until


def _item(row: Any, micros: int | None) -> Item:
    return Item(
        id=row.id,
        at=row.created_at,
        model=row.model,
        key_id=row.key_id,
        user_id=row.user_id,
        username=row.username,
        micros=micros,
        currency=row.currency,
    )
