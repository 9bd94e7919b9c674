"""What has been priced: no price begins before it. Entries of the ledger, and attempts under way.

Attempts are looked at first: one that is settled meanwhile is among the entries by then.

Ten million entries take longer to look through than anybody may wait. So the ledger is looked through before people's
turns are taken, piece by piece; while they are held only what has been booked since then is looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from flask_app.database import first_id, reading, utc_now
from flask_app.models import Attempt, Provider, Tariff, TokenUsage
from flask_app.services.ledger import shared_clock

PIECE = timedelta(days=8)
UNDER_WAY = timedelta(minutes=1)  # longer than any entry takes from its id to its COMMIT


@dataclass(frozen=True, slots=True)
class Field:
    """What a price is for: a model, asked for or answering, of providers that bill in the currency."""

    model: str
    currency: str

    @property
    def entries(self) -> list[ColumnElement[bool]]:
        """The entries that such a price would have been for."""
        billed_in = select(Provider.id).where(Provider.currency == self.currency)
        of_model = or_(TokenUsage.model == self.model, TokenUsage.actual_model == self.model)
        return [TokenUsage.provider_id.in_(billed_in), of_model]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look back found: has anything been priced `since`? Entries from the id `mark` on it may have missed."""

    field: Field
    since: datetime
    is_taken: bool
    mark: str


def look_back(field: Field, since: datetime) -> Seen:
    """Look through the ledger back to that moment, before anybody's turn is taken."""
    with reading() as session:
        mark = first_id(shared_clock.ask(session.connection()) - UNDER_WAY)
    since = since.astimezone(UTC)
    return Seen(field, since, any(_is_in(field, *piece) for piece in _pieces(since)), mark)


def is_taken(session: Session, seen: Seen) -> bool:
    """Has anything been priced since then, by now? The turns are held."""
    if seen.is_taken or _is_any(session, _live_since(seen.since)):
        return True
    newer = select(TokenUsage.created_at).where(TokenUsage.id >= seen.mark, *seen.field.entries)
    return any(moment >= seen.since for moment in session.scalars(newer))


def is_used(session: Session, tariff: Tariff) -> bool:
    """Has a price that is to begin been reserved at, by a clock that is ahead? Any attempt under way may have."""
    start = tariff.starts_at
    at_it = [TokenUsage.created_at >= start, TokenUsage.tariff_id == tariff.id]  # the first has an index
    return _is_any(session, _live_since(start)) or _is_any(session, at_it)


def next_moment(session: Session, field: Field) -> datetime:
    """The first from now on that is after all that such a price would have been for; turns are held."""
    now = utc_now()
    live = select(func.max(Attempt.created_at)).where(*_live_since(now))
    booked = select(func.max(TokenUsage.created_at)).where(TokenUsage.created_at >= now, *field.entries)
    taken = [moment for moment in (session.scalar(live), session.scalar(booked)) if moment]
    return max(taken) + timedelta(microseconds=1) if taken else now


def _pieces(since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The ledger's time from its end back to that moment: from, and up to without it."""
    with reading() as session:
        first, last = session.execute(_ENDS).one()
    end = last and last + timedelta(microseconds=1)
    while end and end > max(since, first):
        begin = max(end - PIECE, since, first)
        yield begin, end
        end = begin


def _is_in(field: Field, begin: datetime, end: datetime) -> bool:
    within = (TokenUsage.created_at >= begin, TokenUsage.created_at < end)
    with reading() as session:
        return _is_any(session, [*within, *field.entries])


def _is_any(session: Session, where: list[ColumnElement[bool]]) -> bool:
    return bool(session.scalar(select(exists().where(*where))))


def _live_since(moment: datetime) -> list[ColumnElement[bool]]:
    """Which model answers in the end is not known yet: any attempt under way may be priced with any tariff."""
    return [Attempt.state == "dispatched", Attempt.created_at >= moment]


_ENDS: Any = select(
    select(func.min(TokenUsage.created_at)).scalar_subquery(), select(func.max(TokenUsage.created_at)).scalar_subquery()
)
