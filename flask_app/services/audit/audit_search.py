"""The audit log as administrators read it: the newest first, by who acted, what was done, to what, and when."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from flask_app.database import first_id, reading
from flask_app.domain.periods import ENDLESS, moment_of
from flask_app.errors import BadRequest
from flask_app.models import AuditEntry, User
from flask_app.services.audit.audit_service import ACCOUNT_DELETED, ACTIONS, COMMAND_LINE, PERSON_DELETED
from flask_app.services.people import names
from flask_app.services.queries import paging
from flask_app.services.queries.likely import Likely
from flask_app.services.usage.stats_service import DateRange, period_of

MAX_WORD = 128
_details = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to look for; None is anything. `who` is COMMAND_LINE or a person's name, as it is now or was when their
    account was deleted; `action` one of ACTIONS; `about` the id of what something was done to.
    """

    who: str | None = None
    action: str | None = None
    about: str | None = None
    dates: DateRange = field(default_factory=DateRange)


@dataclass(frozen=True, slots=True)
class Entry:
    """An act; `details` are the values that it is told with, or as `text` what can be read as none."""

    entry: AuditEntry
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[Entry]
    next: str | None


def search(zone: ZoneInfo, wanted: Filter, *, before: str | None = None, limit: int = paging.PAGE) -> Page:
    """Days are the zone's. Raises BadRequest for an action that there is none of, a bad range, limit or cursor."""
    conditions = _conditions(zone, wanted)
    if before is not None:
        conditions.append(AuditEntry.id < paging.checked_id(before))
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(paging.checked_limit(limit) + 1)
    with reading() as session:
        if wanted.who is not None:
            conditions.append(_beside(wanted, _is_by(session, wanted.who)))
        rows = list(session.scalars(query.where(*conditions)))
    found = [Entry(row, _read(row.details)) for row in rows[:limit]]
    return Page(found, rows[limit - 1].id if len(rows) > limit else None)


def done_to(target: str, action: str, limit: int) -> list[Entry]:
    """The newest acts of a kind to one thing or person."""
    query = select(AuditEntry).filter_by(target=target, action=action).order_by(AuditEntry.id.desc()).limit(limit)
    with reading() as session:
        return [Entry(row, _read(row.details)) for row in session.scalars(query)]


def targets_of(action: str, after: datetime) -> set[str]:
    """The ids of whatever that kind of act was done to since that moment."""
    query = select(AuditEntry.target).where(AuditEntry.action == action, AuditEntry.id > first_id(after))
    with reading() as session:
        return set(session.scalars(query))


def _conditions(zone: ZoneInfo, wanted: Filter) -> list[ColumnElement[Any]]:
    if wanted.action is not None and wanted.action not in ACTIONS:
        raise BadRequest("unknown_action", known=", ".join(ACTIONS))
    if any(len(word or "") > MAX_WORD for word in (wanted.who, wanted.about)):
        raise BadRequest("search_too_long", limit=MAX_WORD)
    period = period_of(wanted.dates, zone)
    found: list[ColumnElement[Any]] = []
    if wanted.action is not None:
        found.append(_beside(wanted, AuditEntry.action == wanted.action))
    if wanted.about is not None:
        found.append(AuditEntry.target == wanted.about)
    if period.start:
        found.append(AuditEntry.id >= first_id(moment_of(period.start)))
    if period.end != ENDLESS:
        found.append(AuditEntry.id < first_id(moment_of(period.end)))
    return found


def _beside(wanted: Filter, condition: ColumnElement[bool]) -> ColumnElement[Any]:
    """What is done to one thing is little beside what one person does, or how often one thing is done."""
    return condition if wanted.about is None else Likely(condition)


def _read(details: str) -> dict[str, Any]:
    """Versions before could blot out a quotation mark together with what they took for a secret."""
    try:
        return _details.decode(details)
    except msgspec.DecodeError:
        return {"text": details}


def _is_by(session: Session, who: str) -> ColumnElement[bool]:
    """By whoever has the name, and by whose deleted account had it: somebody else may have taken it since."""
    if who == COMMAND_LINE:
        return AuditEntry.actor_id.is_(None)
    key = names.key(who)
    left = select(AuditEntry).where(AuditEntry.action.in_((ACCOUNT_DELETED, PERSON_DELETED)))
    ids = {entry.target for entry in session.scalars(left) if names.key(_name_of_gone(entry)) == key}
    if there := session.scalar(select(User.id).where(User.username_key == key)):
        ids |= {there}
    return AuditEntry.actor_id.in_(sorted(ids))


def _name_of_gone(entry: AuditEntry) -> str:
    """Whose account this entry says was deleted."""
    by_themselves = entry.action == ACCOUNT_DELETED
    return entry.actor_name if by_themselves else str(_read(entry.details).get("username", ""))
