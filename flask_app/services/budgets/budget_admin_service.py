"""What an administrator does with budgets. Each change holds from the next request on, in every process."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, utc_now
from flask_app.domain import tariff
from flask_app.domain.budget import PREPAID, RENEWING, SCOPES, TOKENS, TOTAL
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import AccessToken, Budget, Group, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service, reasons, top_up_service, turns
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.queries import paging
from flask_app.services.tariffs import currencies

MAX_LIMIT = 10**15

_Named = Select[str, User | None, Group | None, AccessToken | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a budget is for; there is one at most of each. `scope_id` is empty for the site."""

    scope: str
    scope_id: str = ""
    unit: str = TOKENS
    period: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A budget with the person or the group it is for, where it is for one; with the access token and whose it is."""

    standing: Standing
    person: User | None
    group: Group | None
    token: AccessToken | None


@dataclass(frozen=True, slots=True)
class Page:
    budgets: list[Listed]
    next: str | None


def listed(
    now: datetime,
    *,
    person: str | None = None,
    group: str | None = None,
    before: str | None = None,
    limit: int = paging.PAGE,
) -> Page:
    """The newest first: of all; of a person and their access tokens; or of a group, of each of its people, and of
    persons who are in it now. Raises BadRequest for a bad limit or cursor.
    """
    paging.checked_limit(limit)
    query = _WITH_NAMES.order_by(Budget.id.desc()).limit(limit + 1)
    if person is not None:
        query = query.where(User.id == person)
    if group is not None:
        its_own = and_(Budget.scope.in_(("group", "member")), Budget.scope_id == group)
        query = query.where(or_(its_own, and_(Budget.scope == "user", User.group_id == group)))
    if before is not None:
        query = query.where(Budget.id < paging.checked_id(before))
    with reading() as session:
        found = _shown(session, query, now)
    return Page(found[:limit], found[limit - 1].standing.id if len(found) > limit else None)


def of_site(now: datetime) -> list[Listed]:
    """Those of the whole site, the newest first."""
    with reading() as session:
        return _shown(session, _WITH_NAMES.where(Budget.scope == "site").order_by(Budget.id.desc()), now)


def everything(now: datetime) -> list[Listed]:
    """Every budget, the newest first."""
    with reading() as session:
        return _shown(session, _WITH_NAMES.order_by(Budget.id.desc()), now)


def add(actor: Actor, place: Place, limit: int, *, hard: bool = True, reason: str = "") -> Listed:
    """A budget that holds from the next request on, what has been used of its period included.

    A balance counts what is used from now on; `limit` is its first top-up, for which there is a reason, or 0.
    Raises Invalid, NotFound for a person or a group that is not there, Conflict("budget_exists").
    """
    check(place, limit, hard=hard)
    topped_up = place.period == PREPAID and limit > 0
    given = {"reason": reasons.checked(reason)} if topped_up else {}

    def work(session: Session) -> Listed:
        made = make(session, place, 0 if topped_up else limit, hard=hard)
        if topped_up:
            top_up_service.credit(session, made, limit, given["reason"], _id_of(actor))
        return recorded(session, actor, "budget.add", made, {"limit": limit, "hard": hard, **given})

    try:
        return in_transaction(work)
    except IntegrityError as error:
        raise Conflict("budget_exists") from error


def make(session: Session, place: Place, limit: int, *, hard: bool = True) -> Budget:
    """A budget that is known to make sense, within the caller's transaction.

    Raises NotFound, and Invalid for a currency that nothing here bills in.
    """
    currencies.check(session, place.unit)
    fields = {name: getattr(place, name) for name in ("scope", "scope_id", "unit", "period")}
    now = utc_now()
    made = Budget(**fields, amount=limit, hard=hard, created_at=now, changed_at=now)
    _wait_for_requests(session, place)
    if place.period == PREPAID:
        top_up_service.begin(session, made)
    session.add(made)
    session.flush()
    return made


def top_up(actor: Actor, budget_id: str, amount: int, reason: str, *, idempotency_key: str | None = None) -> Listed:
    """Add to a balance, or take back from what is left of it: once for an idempotency key, however often it comes.

    Raises Invalid, NotFound, Conflict("not_a_balance"), Conflict("balance_in_use") and, for a key that came with
    another top-up, Conflict("top_up_key_reused").
    """
    reason = reasons.checked(reason)

    def work(session: Session) -> Listed:
        found = _locked(session, budget_id)
        if found.period != PREPAID:
            raise Conflict("not_a_balance")
        if top_up_service.is_repeated(session, found, amount, reason, idempotency_key):
            return _one(session, found.id)
        top_up_service.credit(session, found, amount, reason, _id_of(actor), idempotency_key=idempotency_key)
        return recorded(session, actor, "budget.top_up", found, {"amount": amount, "reason": reason})

    return in_transaction(work)


def change(actor: Actor, budget_id: str, *, limit: int | None = None, hard: bool | None = None) -> Listed:
    """Set another limit, or whether it only warns. What is None stays.

    Raises Invalid, NotFound, Conflict("balance_is_fixed") for a balance, which is topped up instead.
    """
    if limit is not None:
        _check_limit(limit)
    held = _place(budget_id) if hard else None

    def work(session: Session) -> Listed:
        if held:  # it may have only warned until now
            _wait_for_requests(session, held)
        found = _locked(session, budget_id)
        if found.period == PREPAID:
            raise Conflict("balance_is_fixed")
        return amend(session, actor, found, limit=limit, hard=hard)

    return in_transaction(work)


def delete(actor: Actor, budget_id: str) -> None:
    """Nothing is limited by it any more. Raises NotFound."""

    def work(session: Session) -> None:
        drop(session, actor, _locked(session, budget_id))

    in_transaction(work)


def put(actor: Actor, place: Place, limit: int, *, hard: bool) -> Listed:
    """Add the budget, or change the one that is there. Raises Invalid, NotFound."""
    there = find(place)
    return change(actor, there, limit=limit, hard=hard) if there else add(actor, place, limit, hard=hard)


def find(place: Place) -> str | None:
    """The id of the budget for it."""
    same = [getattr(Budget, name) == getattr(place, name) for name in ("scope", "scope_id", "unit", "period")]
    with reading() as session:
        return session.scalar(select(Budget.id).where(*same))


def amend(
    session: Session, actor: Actor, found: Budget, *, limit: int | None = None, hard: bool | None = None
) -> Listed:
    """The same of a budget that the caller's transaction holds. A limit is known to make sense."""
    before = _terms(found)
    found.amount = found.amount if limit is None else limit
    found.hard = found.hard if hard is None else hard
    difference = audit_service.difference(before, _terms(found))
    if not difference:
        return _one(session, found.id)
    found.changed_at = utc_now()
    session.flush()
    return recorded(session, actor, "budget.change", found, difference)


def drop(session: Session, actor: Actor, found: Budget) -> None:
    """Delete a budget that the caller's transaction holds."""
    recorded(session, actor, "budget.delete", found, _terms(found))
    session.delete(found)
    session.flush()


def check(place: Place, limit: int, *, hard: bool = True) -> None:
    """Does such a budget make sense? Raises Invalid."""
    if place.scope not in SCOPES or (place.scope == "site") != (place.scope_id == ""):
        raise Invalid("bad_budget_scope")
    periods = (*RENEWING, TOTAL if place.scope == "token" else PREPAID)
    if place.period not in periods:
        raise Invalid("bad_budget_period", known=", ".join(periods))
    if place.unit != TOKENS and tariff.currency(place.unit) != place.unit:
        raise Invalid("bad_currency")
    if place.period == PREPAID and (place.scope == "member" or not hard):
        raise Invalid("bad_balance")
    _check_limit(limit, least=0 if place.period == PREPAID else 1)


def recorded(session: Session, actor: Actor, action: str, made: Budget, details: Mapping[str, object]) -> Listed:
    """Note what was done to a budget, within the caller's transaction, and give how it stands."""
    shown = _one(session, made.id)
    whose = shown.person.username if shown.person else shown.group.name if shown.group else ""
    named = {"scope": made.scope, "name": whose, "unit": made.unit, "period": made.period}
    token = {"token": shown.token.name} if shown.token else {}
    audit_service.record(session, actor.user, action, made.id, {**named, **token, **details}, actor.address)
    return shown


def _check_limit(limit: int, *, least: int = 1) -> None:
    if not least <= limit <= MAX_LIMIT:
        raise Invalid("bad_budget_limit", limit=MAX_LIMIT)


def _wait_for_requests(session: Session, place: Place) -> None:
    """A request that has begun while nothing held it is committed before, and so is counted. Raises NotFound."""
    if place.scope == "site":
        turns.take_all(session)
    elif place.scope in {"group", "member"}:
        turns.take_of_group(session, place.scope_id)
    else:
        owner = select(AccessToken.user_id).where(AccessToken.id == place.scope_id).scalar_subquery()
        if not turns.take_of(session, User.id == (owner if place.scope == "token" else place.scope_id)):
            raise NotFound


def _place(budget_id: str) -> Place:
    """Raises NotFound. It never changes."""
    with reading() as session:
        found = session.get(Budget, budget_id)
    if found is None:
        raise NotFound
    return Place(scope=found.scope, scope_id=found.scope_id, unit=found.unit, period=found.period)


def _locked(session: Session, budget_id: str) -> Budget:
    found = session.get(Budget, budget_id, with_for_update=True)
    if found is None:
        raise NotFound
    return found


def _id_of(actor: Actor) -> str | None:
    return actor.user.id if actor.user else None


def _terms(found: Budget) -> dict[str, object]:
    return {"limit": found.amount, "hard": found.hard}


def _one(session: Session, budget_id: str) -> Listed:
    return _shown(session, _WITH_NAMES.where(Budget.id == budget_id), utc_now())[0]


def _shown(session: Session, query: _Named, now: datetime) -> list[Listed]:
    rows = session.execute(query).all()
    found = budget_service.standings(session.connection(), [row[0] for row in rows], now)
    return [Listed(found[each], person, group, token) for each, person, group, token in rows if each in found]


_WITH_NAMES: _Named = (
    select(Budget.id, User, Group, AccessToken)
    .outerjoin(AccessToken, AccessToken.id == Budget.scope_id)
    .outerjoin(User, User.id == func.coalesce(AccessToken.user_id, Budget.scope_id))
    .outerjoin(Group, Group.id == Budget.scope_id)
)
