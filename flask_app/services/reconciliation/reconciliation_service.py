"""Each account and day: what the provider took against what the ledger booked, as readings of the balance tell.

A day of the site's time zone goes from the last reading before it to its own last reading, so that days leave nothing
out and have nothing twice. It is compared anew with every reading, by the process that has read.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.column_types import UtcDateTime
from flask_app.database import fetching, in_transaction, new_id, table_of
from flask_app.domain import periods, reconciliation
from flask_app.domain.outcomes import OUTCOMES
from flask_app.domain.reconciliation import LAG, Booking, Comparison, Threshold
from flask_app.models import Reconciliation, TokenUsage
from flask_app.services.reconciliation import drift_threshold, readings

log = structlog.get_logger()

_ledger, _days = table_of(TokenUsage), table_of(Reconciliation)
_BOOKED = select(
    _ledger.c.created_at, _ledger.c.duration_ms, _ledger.c.key_id, _ledger.c.currency, _ledger.c.cost_micros
)
_BOOKED = _BOOKED.where(
    _ledger.c.kind == "usage",  # what is refunded here, the provider keeps
    _ledger.c.key_id.in_(bindparam("keys", expanding=True)),
    _ledger.c.outcome.in_(OUTCOMES),  # all of them: the index has them between the key and the time
    _ledger.c.created_at > bindparam("since", type_=UtcDateTime()),
    _ledger.c.created_at <= bindparam("until", type_=UtcDateTime()),
    _ledger.c.cost_micros.is_not(None),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A day of an account in one currency, between so many readings."""

    account: str
    day: date
    readings: int
    found: Comparison

    @property
    def place(self) -> tuple[str, date, str]:
        """What there is one of."""
        return self.account, self.day, self.found.currency


def compared(connection: Connection, account: str, day: date) -> list[Compared]:
    """The day in each currency that the provider told; nothing where there are not two readings to compare."""
    first, end = bounds(day)
    told = readings.within(connection, account, first, end)
    every = next(iter(told.values()), [])
    if len(every) < 2 or every[-1].at < first:
        return []
    keys = frozenset[str]().union(*(reading.keys for reading in every))
    bookings = _bookings(connection, keys, every[0].at - LAG, every[-1].at)
    return [
        Compared(account, day, len(every), reconciliation.compare(currency, series, bookings))
        for currency, series in told.items()
    ]


def days(first: date, last: date) -> list[Compared]:
    """All accounts in these days, from the readings and the ledger themselves. Nothing is kept."""
    with fetching() as connection:
        accounts = readings.accounts(connection, bounds(first)[0], bounds(last)[1])
    found = []
    for day in periods.days(first, last):
        with fetching() as connection:
            for account in accounts:
                found += compared(connection, account, day)
    return found


def refresh(account: str, asked: datetime) -> None:
    """There is a reading of the moment `asked`: compare its day, and the day of the reading before it, anew."""
    with fetching() as connection:
        before = readings.last_before(connection, account, asked)
        touched = sorted({periods.local_day(moment, _zone()) for moment in (before, asked) if moment})
        found = [each for day in touched for each in compared(connection, account, day)]
    try:
        raised = in_transaction(lambda session: _keep(session, found))
    except IntegrityError:  # another process compared the same day for the first time
        raised = in_transaction(lambda session: _keep(session, found))
    for each in raised:
        raise_alarm(each)


def raise_alarm(drifted: Compared) -> None:
    """A drift stands since now, or more of it than was acknowledged. Called once for it, by one process, after the
    commit. People are told by the warnings' own rounds (`drift_alerts`)."""
    found = drifted.found
    terms = {"account": drifted.account, "day": drifted.day.isoformat(), "currency": found.currency}
    log.warning("balance_drift", **terms, drift=found.drift, booked=found.total_booked)


def bounds(day: date) -> tuple[datetime, datetime]:
    """When the site's day begins, and when the next one does."""
    zone = _zone()
    first, end = (periods.start_of(each, zone) for each in (day, day + timedelta(days=1)))
    return periods.moment_of(first), periods.moment_of(end)


def today(now: datetime) -> date:
    """The site's day."""
    return periods.local_day(now, _zone())


def longest_answer() -> timedelta:
    """So long before its end an answer may have been asked for."""
    return timedelta(seconds=config.current().upstream_total_seconds)


def _zone() -> ZoneInfo:
    return ZoneInfo(config.current().site_timezone)


def _bookings(connection: Connection, keys: Iterable[str], since: datetime, until: datetime) -> list[Booking]:
    """Those of answers that ended after `since` and not after `until`: the provider takes their cost at their end."""
    terms = {"keys": sorted(keys), "since": since - longest_answer(), "until": until}
    rows = connection.execute(_BOOKED, terms).all()
    ended = [(row.created_at + timedelta(milliseconds=row.duration_ms), row) for row in rows]
    return [Booking(at, row.key_id, row.currency, row.cost_micros) for at, row in ended if since < at <= until]


def _keep(session: Session, found: list[Compared]) -> list[Compared]:
    """Write the days, and give those that raise an alarm."""
    threshold = drift_threshold.stored(session)
    return [each for each in found if _keep_one(session, each, threshold)]


def _keep_one(session: Session, compared: Compared, threshold: Threshold) -> bool:
    found = compared.found
    own = (_days.c.account == compared.account, _days.c.day == compared.day, _days.c.currency == found.currency)
    before = session.execute(select(_days).where(*own).with_for_update()).one_or_none()
    if before is not None and before.until > found.until:
        return False  # somebody has read later, and was quicker
    stands = found.alarms(threshold, before.known_drift if before else None)
    values = _columns(compared) | {"stands": stands}
    if before is None:
        session.execute(insert(_days).values(id=new_id(), **values))
    else:
        session.execute(update(_days).where(_days.c.id == before.id).values(values))
    return stands and not (before and before.stands)


def _columns(compared: Compared) -> dict[str, Any]:
    found = compared.found
    return {
        "account": compared.account,
        "day": compared.day,
        "currency": found.currency,
        "since": found.since,
        "until": found.until,
        "readings": compared.readings,
        "start_total": found.start,
        "end_total": found.end,
        "booked": found.total_booked,
        "booked_by_key": json.dumps(found.booked),
        "aside": json.dumps(found.aside),
        "drift": found.drift,
        "slack": found.slack,
    }
