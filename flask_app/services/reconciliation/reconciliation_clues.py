"""What could explain that a provider took more or less than was booked: the records and attempts of a day's window.

Neither the number of queries nor that of the rows fetched grows with them: the database counts, adds up, and gives the
dearest.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, union
from sqlalchemy.orm import Session

from flask_app.column_types import Later
from flask_app.database import reading, table_of
from flask_app.domain.outcomes import OUTCOMES
from flask_app.domain.peak_calendar import Calendar
from flask_app.domain.periods import quarter_of
from flask_app.domain.reconciliation import LAG
from flask_app.models import Attempt, Reconciliation, Tariff, TokenUsage, User
from flask_app.services.ledger.rollup import SITE_DAY, rollup
from flask_app.services.reconciliation.reconciliation_service import longest_answer

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
_ENTRIES = select(*(_ledger.c[name] for name in _SHOWN_OF_BOTH), _ledger.c.cost_micros.label("micros"))
_ATTEMPTS = select(*(_attempts.c[name] for name in _SHOWN_OF_BOTH), _attempts.c.reserved_micros.label("micros"))
_USAGE = _ledger.c.kind == "usage"
_ESTIMATED = and_(_USAGE, _ledger.c.source == "estimated")
_ended = Later(_ledger.c.created_at, _ledger.c.duration_ms)
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


def of(day: Reconciliation) -> list[Clue]:
    """What is there of each kind, in the order of KINDS."""
    return between(day.since, day.until, json.loads(day.booked_by_key), day.currency)


def between(since: datetime, until: datetime, keys: Iterable[str], currency: str) -> list[Clue]:
    """The same of two readings of an account with these keys."""
    window = _Window(since - LAG, until + LAG, list(keys))
    with reading() as session:
        queries = {**_of_entries(window), **_of_attempts(session, window), **_unpriced(session, window)}
        if (edges := _at_edges(session, window)) is not None:
            queries["peak_edge"] = edges
        found = {kind: _clue(session, kind, query, currency) for kind, query in queries.items()}
        found["price_change"] = _price_changes(session, window)
    return [found[kind] for kind in KINDS if kind in found and found[kind].count]


def _clue(session: Session, kind: str, query: Select[Any], currency: str) -> Clue:
    """What the query finds counted and added up, and the dearest of it."""
    found = query.subquery()
    micros = func.coalesce(found.c.micros, 0)
    total = func.sum(case((found.c.currency == currency, micros), else_=0))
    dearest = (
        select(found, micros.label("size"), func.count().over().label("counted"), total.over().label("total"))
        .order_by(func.abs(micros).desc(), found.c.id)
        .limit(SHOWN)
        .subquery()
    )
    named = select(dearest, _users.c.username).outerjoin(_users, _users.c.id == dearest.c.user_id)
    rows = session.execute(named.order_by(func.abs(dearest.c.size).desc(), dearest.c.id)).all()
    count, micros_in_all = (rows[0].counted, int(rows[0].total)) if rows else (0, 0)
    return Clue(kind, count, micros_in_all, [_item(row) for row in rows])


def _of_entries(window: _Window) -> dict[str, Select[Any]]:
    entries = _entries(window)
    return {
        "estimated": entries.where(_ESTIMATED, _ledger.c.outcome == "complete"),
        "partial": entries.where(_ESTIMATED, _ledger.c.outcome != "complete"),
        "refunded": entries.where(_ledger.c.kind == "refund"),
    }


def _entries(window: _Window) -> Select[Any]:
    ended_in = or_(_ledger.c.created_at > window.since, _ended > window.since)
    return _ENTRIES.where(*_asked_in(_ledger, window), ended_in)


def _unpriced(session: Session, window: _Window) -> dict[str, Select[Any]]:
    """Entries without a price are found by the key and the models that the roll-up has such answers of: often none."""
    first, last = quarter_of(window.since - longest_answer()), quarter_of(window.until)
    without = select(rollup.c.model).where(
        rollup.c.slice == SITE_DAY.name,
        rollup.c.block.between(SITE_DAY.block_of(first), SITE_DAY.block_of(last)),
        rollup.c.key_id.in_(window.keys),
        rollup.c.unpriced_requests > 0,
    )
    models = session.scalars(without.distinct()).all()
    found = _entries(window).where(_USAGE, _ledger.c.cost_micros.is_(None), _ledger.c.model.in_(models))
    return {"unpriced": found} if models else {}


def _at_edges(session: Session, window: _Window) -> Select[Any] | None:
    """Answers during which peak hours began or ended, or within a minute: each edge is a short range of time."""
    ranges = [
        select(_ledger.c.id).where(
            _USAGE,
            _ledger.c.outcome.in_(OUTCOMES),  # all of them: the index has them between the key and the time
            _ledger.c.tariff_id.in_(tariffs),
            _ledger.c.created_at > edge - NEAR - longest_answer(),
            _ledger.c.created_at < edge + NEAR,
            _ended >= edge - NEAR,
            _ended > window.since,
            *_asked_in(_ledger, window),
        )
        for edge, tariffs in _edges(session, window).items()
    ]
    if not ranges:
        return None
    found = union(*ranges).subquery()
    return _ENTRIES.join(found, found.c.id == _ledger.c.id)


def _edges(session: Session, window: _Window) -> dict[datetime, list[str]]:
    """When peak hours begin or end, and by which tariffs."""
    calendars, edges = defaultdict[str, list[str]](list), defaultdict[datetime, list[str]](list)
    for row in session.execute(select(_tariffs.c.id, _tariffs.c.calendar).where(_tariffs.c.calendar.is_not(None))):
        calendars[row.calendar].append(row.id)
    for written, tariffs in calendars.items():
        edge = Calendar.parse(written).next_change(window.since - longest_answer() - NEAR)
        while edge is not None and edge <= window.until + longest_answer() + NEAR:
            edges[edge] += tariffs
            edge = Calendar.parse(written).next_change(edge)
    return edges


def _of_attempts(session: Session, window: _Window) -> dict[str, Select[Any]]:
    asked, state = _asked_in(_attempts, window), _attempts.c.state
    queries = {
        "open": _ATTEMPTS.where(*asked, state == "dispatched"),
        "released": _ATTEMPTS.where(*asked, state == "released", _MAY_BE_BILLED),
    }
    if not _are_all_booked(session, window):
        unbooked = select(_attempts.c.id).where(*asked, state == "settled", ~_BOOKED).subquery()
        queries["unbooked"] = _ATTEMPTS.join(unbooked, unbooked.c.id == _attempts.c.id)
    return queries


def _are_all_booked(session: Session, window: _Window) -> bool:
    """Whether as many are booked as were settled: counted in two indexes, in half the time of asking for each.

    An entry has its attempt's key and moment. One too many beside one too few would hide it: `flask usage verify`
    asks for each, and tells both.
    """
    settled = select(func.count()).where(*_asked_in(_attempts, window), _attempts.c.state == "settled")
    booked = select(func.count()).where(*_asked_in(_ledger, window), _USAGE)
    return bool(session.scalar(select(settled.scalar_subquery() == booked.scalar_subquery())))


def _price_changes(session: Session, window: _Window) -> Clue:
    """Prices of models in use that began meanwhile."""
    began = (_tariffs.c.starts_at > window.since, _tariffs.c.starts_at <= window.until)
    used = exists().where(
        or_(_ledger.c.model == _tariffs.c.model, _ledger.c.actual_model == _tariffs.c.model),
        *_asked_in(_ledger, window),
    )
    rows = session.execute(select(_tariffs).where(*began, used).order_by(_tariffs.c.starts_at)).all()
    items = [Item(id=row.id, at=row.starts_at, model=row.model, currency=row.currency) for row in rows[:SHOWN]]
    return Clue("price_change", len(rows), 0, items)


def _asked_in(table: Any, window: _Window) -> tuple[ColumnElement[bool], ...]:
    """Asked for within the window, or so shortly before it that the answer may have ended in it."""
    earliest = window.since - longest_answer()
    return table.c.key_id.in_(window.keys), table.c.created_at > earliest, table.c.created_at <= window.until


def _item(row: Any) -> Item:
    return Item(
        id=row.id,
        at=row.created_at,
        model=row.model,
        key_id=row.key_id,
        user_id=row.user_id,
        username=row.username,
        micros=row.micros,
        currency=row.currency,
    )
