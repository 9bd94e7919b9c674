"""Batches of redeem codes: made, listed, revoked. The codes are told once; only digests and hints are stored."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, utc_now
from flask_app.domain import tariff, typed_code
from flask_app.domain.budget import TOKENS
from flask_app.errors import Invalid, NotFound
from flask_app.models import CodeBatch, RedeemCode, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service, code_service, reasons, top_up_service
from flask_app.services.queries import paging
from flask_app.services.secrets.signing import digest
from flask_app.services.tariffs import currencies

MOST = 1000  # codes in a batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How many codes of what worth. They hold to the end of the day `expires_on` of the site's time zone."""

    label: str
    count: int
    unit: str
    amount: int
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A batch, how many of its codes are in which state, and who made it."""

    batch: CodeBatch
    states: dict[str, int]
    by: str | None


@dataclass(frozen=True, slots=True)
class Made:
    """The codes are known nowhere else."""

    listed: Listed
    codes: list[str]


@dataclass(frozen=True, slots=True)
class Batches:
    batches: list[Listed]
    next: str | None


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it can be told: by its beginning."""

    code: RedeemCode
    state: str
    redeemed_by: str | None


@dataclass(frozen=True, slots=True)
class Codes:
    codes: list[Code]
    next: str | None


def make(actor: Actor, terms: Terms) -> Made:
    """A batch of new codes. Raises Invalid."""
    _check(terms)
    label = reasons.checked(terms.label)
    codes = [typed_code.new() for _ in range(terms.count)]
    expires_at = budget_service.begins(terms.expires_on + timedelta(days=1)) if terms.expires_on else None

    def work(session: Session) -> Listed:
        currencies.check(session, terms.unit)
        batch = CodeBatch(label=label, unit=terms.unit, amount=terms.amount, count=terms.count, expires_at=expires_at)
        batch.user_id = actor.user.id if actor.user else None
        session.add(batch)
        session.flush()
        session.add_all(RedeemCode(batch_id=batch.id, digest=digest(code), hint=_hint(code)) for code in codes)
        details = {"label": label, "count": terms.count, "unit": terms.unit, "amount": terms.amount}
        expiry = {"expires_on": terms.expires_on.isoformat() if terms.expires_on else None}
        audit_service.record(session, actor.user, "codes.make", batch.id, details | expiry, actor.address)
        session.flush()
        return _one(session, batch.id)

    return Made(in_transaction(work), [typed_code.shown(code) for code in codes])


def listed(*, before: str | None = None, limit: int = paging.PAGE) -> Batches:
    """The newest first; raises BadRequest for a bad limit or cursor."""
    query = _WITH_NAMES.order_by(CodeBatch.id.desc()).limit(paging.checked_limit(limit) + 1)
    if before is not None:
        query = query.where(CodeBatch.id < paging.checked_id(before))
    with reading() as session:
        found = _shown(session, query)
    return Batches(found[:limit], found[limit - 1].batch.id if len(found) > limit else None)


def codes_of(batch_id: str, *, after: str | None = None, limit: int = paging.PAGE) -> Codes:
    """A batch's codes in the order they were made in; raises NotFound, and BadRequest for a bad limit or cursor."""
    query = _CODES.where(RedeemCode.batch_id == batch_id).order_by(RedeemCode.id).limit(paging.checked_limit(limit) + 1)
    if after is not None:
        query = query.where(RedeemCode.id > paging.checked_id(after))
    now = utc_now()
    with reading() as session:
        batch = session.get(CodeBatch, batch_id)
        if batch is None:
            raise NotFound
        rows = session.execute(query).all()
    found = [Code(code, code_service.state_of(code, batch, now), name) for code, name in rows]
    return Codes(found[:limit], found[limit - 1].code.id if len(found) > limit else None)


def revoke_batch(actor: Actor, batch_id: str) -> Listed:
    """None of its codes can be redeemed any more; what was redeemed stays. Raises NotFound."""

    def work(session: Session) -> Listed:
        if session.get(CodeBatch, batch_id) is None:
            raise NotFound
        _revoke(session, actor, batch_id, select(RedeemCode.id).where(RedeemCode.batch_id == batch_id))
        return _one(session, batch_id)

    return in_transaction(work)


def revoke_code(actor: Actor, code_id: str) -> Listed:
    """The code cannot be redeemed any more; gives its batch. Raises NotFound."""

    def work(session: Session) -> Listed:
        batch_id = session.scalar(select(RedeemCode.batch_id).where(RedeemCode.id == code_id))
        if batch_id is None:
            raise NotFound
        _revoke(session, actor, code_id, select(RedeemCode.id).where(RedeemCode.id == code_id))
        return _one(session, batch_id)

    return in_transaction(work)


def _revoke(session: Session, actor: Actor, target: str, which: Select[str]) -> None:
    """What was redeemed or revoked before stays as it is, and leaves no trace anew."""
    open_codes = (RedeemCode.redeemed_at.is_(None), RedeemCode.revoked_at.is_(None))
    ids = session.scalars(which.where(*open_codes).with_for_update()).all()
    if not ids:
        return
    revoke = update(RedeemCode).where(RedeemCode.id.in_(ids), *open_codes).values(revoked_at=utc_now())
    session.execute(revoke.execution_options(synchronize_session=False))
    audit_service.record(session, actor.user, "codes.revoke", target, {"count": len(ids)}, actor.address)


def _check(terms: Terms) -> None:
    if not 0 < terms.count <= MOST:
        raise Invalid("bad_code_count", limit=MOST)
    if terms.unit != TOKENS and tariff.currency(terms.unit) != terms.unit:
        raise Invalid("bad_currency")
    if not 0 < terms.amount <= top_up_service.MAX_AMOUNT:
        raise Invalid("bad_code_amount", limit=top_up_service.MAX_AMOUNT)
    today = budget_service.site_day(utc_now())
    if terms.expires_on and not today <= terms.expires_on <= date(9999, 12, 30):
        raise Invalid("bad_expiry")


def _hint(code: str) -> str:
    return code[: typed_code.GROUP]


def _one(session: Session, batch_id: str) -> Listed:
    return _shown(session, _WITH_NAMES.where(CodeBatch.id == batch_id))[0]


def _shown(session: Session, query: Select[CodeBatch, str | None]) -> list[Listed]:
    rows = session.execute(query).all()
    counted = session.execute(_COUNTS.where(RedeemCode.batch_id.in_([batch.id for batch, _ in rows]))).all()
    counts = {row.batch_id: row for row in counted}
    return [
        Listed(batch, _states(batch, counts[batch.id].redeemed, counts[batch.id].revoked), by) for batch, by in rows
    ]


def _states(batch: CodeBatch, redeemed: int, revoked: int) -> dict[str, int]:
    rest = batch.count - redeemed - revoked
    over = _is_over(batch, utc_now())
    return {"open": 0 if over else rest, "redeemed": redeemed, "revoked": revoked, "expired": rest if over else 0}


def _is_over(batch: CodeBatch, now: datetime) -> bool:
    return batch.expires_at is not None and batch.expires_at <= now


_WITH_NAMES: Select[CodeBatch, str | None] = select(CodeBatch, User.username).outerjoin(
    User, User.id == CodeBatch.user_id
)
_CODES: Select[RedeemCode, str | None] = select(RedeemCode, User.username).outerjoin(
    User, User.id == RedeemCode.redeemed_by
)
_COUNTS = select(
    RedeemCode.batch_id,
    func.count(RedeemCode.redeemed_at).label("redeemed"),
    func.count(RedeemCode.revoked_at).label("revoked"),
).group_by(RedeemCode.batch_id)
