"""What administrators see of the comparison with providers' balances, and what they do about a drift."""

import json
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.column_types import UtcDateTime
from flask_app.database import in_transaction, reading, table_of, utc_now
from flask_app.domain import reconciliation
from flask_app.domain.ranges import Days
from flask_app.domain.reconciliation import Threshold
from flask_app.errors import BadRequest, Conflict, NotFound
from flask_app.models import ApiKey, Provider, Reconciliation, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import reasons
from flask_app.services.providers import key_service
from flask_app.services.reconciliation import drift_threshold, reconciliation_service
from flask_app.services.reconciliation.reconciliation_service import Compared
from flask_app.services.site import stored_settings
from flask_app.services.usage import stats_service
from flask_app.services.usage.stats_service import DateRange

MAX_DAYS = 366

_days = table_of(Reconciliation)
_SHOWN = (
    select(Reconciliation, User.username)
    .outerjoin(User, User.id == Reconciliation.known_by)
    .order_by(Reconciliation.stands.desc(), Reconciliation.day.desc(), Reconciliation.account, Reconciliation.currency)
)


_LATE = (
    select(
        func.max(ApiKey.balance_at).label("at"), ApiKey.account, func.min(ApiKey.label).label("label"), Provider.name
    )
    .join(Provider, Provider.id == ApiKey.provider_id)
    .where(key_service.usable(), Provider.balance_offered.is_(True))
    .group_by(Provider.id, Provider.name, ApiKey.account, case((ApiKey.account.is_(None), ApiKey.id), else_=""))
    .having(func.max(ApiKey.balance_at) < bindparam("before", type_=UtcDateTime()))
    .order_by("at")
)
_KNOWN = select(_days).where(_days.c.known_drift.is_not(None))


@dataclass(frozen=True, slots=True)
class Share:
    """What was booked on one of an account's keys."""

    key_id: str
    label: str
    micros: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A day with the names of what it is about. `state`: "drift" where an alarm stands, "known" where it was
    acknowledged, "partial" where something could not be compared, else "even"."""

    row: Reconciliation
    state: str
    account: str
    provider: str
    shares: list[Share]
    known_by: str | None


@dataclass(frozen=True, slots=True)
class Unread:
    """An account that has not been read since a moment, though its provider tells what is left."""

    account: str
    provider: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Days of the site's time zone, the newest first; before them every standing alarm, whatever its day.

    `unread` are the accounts of which a reading is missing now.
    """

    listed: list[Listed]
    unread: list[Unread]
    days: Days
    threshold: Threshold
    timezone: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A day as the readings and the ledger have it now, whatever was kept. `state` is as that of a `Listed`."""

    compared: Compared
    state: str
    account: str


class Names:
    """What accounts and keys are called. Keys that were deleted keep their names."""

    def __init__(self, connection: Session | Connection) -> None:
        rows = connection.execute(select(ApiKey.id, ApiKey.label, ApiKey.provider_id)).all()
        self._keys: dict[str, str] = {row.id: row.label for row in rows}
        self._provider_of: dict[str, str] = {row.id: row.provider_id for row in rows}
        self._providers: dict[str, str] = {
            row.id: row.name for row in connection.execute(select(Provider.id, Provider.name))
        }

    def key(self, key_id: str) -> str:
        return self._keys.get(key_id, key_id)

    def account(self, account: str) -> str:
        """The label of the account, or that of the key which is alone on it."""
        _, is_shared, label = account.partition("/")
        return label if is_shared else self.key(account)

    def provider(self, account: str) -> str:
        provider_id, is_shared, _ = account.partition("/")
        return self._providers.get(provider_id if is_shared else self._provider_of.get(account, ""), "")


def listed(dates: DateRange, now: datetime) -> Page:
    """The last thirty days where none are given; raises BadRequest for a range that is backwards or too long."""
    zone = ZoneInfo(config.current().site_timezone)
    days = stats_service.days_of(dates, now, zone)
    if len(days) > MAX_DAYS:
        raise BadRequest("range_too_long", days=MAX_DAYS)
    wanted = or_(Reconciliation.day.between(days.first, days.last), Reconciliation.stands)
    with reading() as session:
        threshold = drift_threshold.stored(session)
        found, unread = _shown(session, wanted, threshold), _unread(session, now)
    return Page(found, unread, days, threshold, zone.key)


def get(reconciliation_id: str) -> Listed:
    """Raises NotFound."""
    with reading() as session:
        threshold = drift_threshold.stored(session)
        found = _shown(session, Reconciliation.id == reconciliation_id, threshold)
    if not found:
        raise NotFound
    return found[0]


def computed(days: Days) -> list[Computed]:
    """These days, compared anew; what was acknowledged of them counts."""
    found = reconciliation_service.days(days.first, days.last)
    with reading() as session:
        names, threshold = Names(session), drift_threshold.stored(session)
        known = {(row.account, row.day, row.currency): row.known_drift for row in session.execute(_KNOWN)}
    return [
        Computed(each, _verdict(each, threshold, known.get(each.place)), names.account(each.account)) for each in found
    ]


def count_standing() -> int:
    """How many drifts nobody has acknowledged."""
    with reading() as session:
        return session.scalar(select(func.count()).select_from(_days).where(_days.c.stands)) or 0


def acknowledge(actor: Actor, reconciliation_id: str, note: str) -> Listed:
    """Somebody knows of the drift as it is; it is an alarm again when it becomes another one.

    Raises Invalid("bad_reason"), NotFound, and Conflict("no_drift") where no alarm stands.
    """
    note = reasons.checked(note)

    def work(session: Session) -> None:
        day = session.scalar(select(Reconciliation).where(Reconciliation.id == reconciliation_id).with_for_update())
        if day is None:
            raise NotFound
        if not day.stands:
            raise Conflict("no_drift")
        day.stands, day.known_drift, day.note = False, day.drift, note
        day.known_at, day.known_by = utc_now(), actor.user.id if actor.user else None
        names = ("account", "currency", "drift", "booked", "note")
        details = {name: getattr(day, name) for name in names} | {"day": day.day.isoformat()}
        audit_service.record(session, actor.user, "reconciliation.acknowledge", day.id, details, actor.address)

    in_transaction(work)
    return get(reconciliation_id)


def set_threshold(actor: Actor, absolute: int, permille: int) -> None:
    """How much may differ from now on; days that nobody has acknowledged are judged by it anew. Raises Invalid."""
    wanted = drift_threshold.checked(absolute, permille)

    def work(session: Session) -> None:
        before = drift_threshold.keep(session, wanted)
        _judge(session, wanted)
        changed = audit_service.difference(_terms(before), _terms(wanted)) or _terms(wanted)
        target = drift_threshold.NAME
        audit_service.record(session, actor.user, "reconciliation.threshold", target, changed, actor.address)

    stored_settings.in_turn(work)


def _judge(session: Session, threshold: Threshold) -> None:
    rows = session.execute(select(_days).where(_days.c.drift != 0).with_for_update()).all()
    verdicts = {
        row.id: reconciliation.alarms(row.drift, row.booked, row.slack, threshold, row.known_drift)
        for row in rows
        if row.known_drift is None or row.stands
    }
    for stands in (True, False):
        ids = [row.id for row in rows if verdicts.get(row.id, row.stands) is stands is not row.stands]
        session.execute(update(_days).where(_days.c.id.in_(ids)).values(stands=stands))


def _terms(threshold: Threshold) -> dict[str, object]:
    return {"absolute": threshold.absolute, "permille": threshold.permille}


def _shown(session: Session, wanted: ColumnElement[bool], threshold: Threshold) -> list[Listed]:
    names = Names(session)
    return [
        Listed(
            row=row,
            state=_state(row, threshold),
            account=names.account(row.account),
            provider=names.provider(row.account),
            shares=_shares(row, names),
            known_by=known_by,
        )
        for row, known_by in session.execute(_SHOWN.where(wanted)).all()
    ]


def _unread(session: Session, now: datetime) -> list[Unread]:
    rows = session.execute(_LATE, {"before": now - reconciliation.GAP}).all()
    return [Unread(row.account or row.label, row.name, row.at) for row in rows]


def _state(row: Reconciliation, threshold: Threshold) -> str:
    is_over = reconciliation.exceeds(row.drift, row.booked, row.slack, threshold)
    return _named(stands=row.stands, is_over=is_over, is_whole=row.aside == "{}")


def _verdict(compared: Compared, threshold: Threshold, known: int | None) -> str:
    found = compared.found
    stands, is_over = found.alarms(threshold, known), found.exceeds(threshold)
    return _named(stands=stands, is_over=is_over, is_whole=not found.aside)


def _named(*, stands: bool, is_over: bool, is_whole: bool) -> str:
    if stands:
        return "drift"
    if is_over:
        return "known"
    return "even" if is_whole else "partial"


def _shares(row: Reconciliation, names: Names) -> list[Share]:
    booked: dict[str, int] = json.loads(row.booked_by_key)
    return [Share(key_id, names.key(key_id), micros) for key_id, micros in booked.items()]
