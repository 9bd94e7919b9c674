"""Redeeming a code: once in all, whoever asks at the same moment. What it is worth goes to the person's own balance."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, utc_now
from flask_app.domain import typed_code
from flask_app.domain.budget import PREPAID
from flask_app.errors import AppError, Conflict, Invalid
from flask_app.models import Budget, CodeBatch, RedeemCode, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service, top_up_service
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import login_limits

STATES = ("open", "redeemed", "revoked", "expired")


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a code was worth, in the unit of the balance that it went to."""

    amount: int
    balance: Standing


def redeem(actor: Actor, user: User, typed: str) -> Redeemed:
    """Top up the person's balance of the code's unit.

    Raises Invalid("code_unknown"), Conflict("code_redeemed"), Conflict("code_revoked"), Conflict("code_expired"),
    Conflict("code_without_balance") where they have none, which leaves the code unused, and TooMany for somebody who
    guesses.
    """
    code = typed_code.read(typed)
    with login_limits.redemption_attempt(user.id, actor.address) as attempt:
        found = in_transaction(lambda session: _redeem(session, actor, user, code)) if code else None
        if found is None:
            attempt.failed()
            raise Invalid("code_unknown")
        return found


def can_redeem(user: User) -> bool:
    """Were codes ever made here that could go to a balance of theirs?"""
    with fetching() as connection:
        return connection.scalar(_FOR_BALANCE, {"person": user.id}) is not None


def state_of(code: RedeemCode, batch: CodeBatch, now: datetime) -> str:
    """One of STATES."""
    if code.redeemed_at:
        return "redeemed"
    if code.revoked_at:
        return "revoked"
    return "expired" if batch.expires_at and batch.expires_at <= now else "open"


def _redeem(session: Session, actor: Actor, user: User, code: str) -> Redeemed | None:
    """None for a code that nobody made."""
    now = utc_now()
    row = session.execute(_OF_DIGEST.where(RedeemCode.digest == digest(code))).one_or_none()
    if row is None:
        return None
    found, batch = row
    if not _claim(session, found, user, now):
        session.refresh(found)
        raise _refusal(state_of(found, batch, now))
    balance = _balance(session, user, batch.unit)
    if balance is None:  # the first limit on somebody would only take away
        raise Conflict("code_without_balance")
    top_up_service.credit(session, balance, batch.amount, batch.label, user.id, code_id=found.id)
    details = {"label": batch.label, "unit": batch.unit, "amount": batch.amount, "batch": batch.id}
    audit_service.record(session, user, "code.redeem", found.id, details, actor.address)
    standings = budget_service.standings(session.connection(), [balance.id], now)
    return Redeemed(batch.amount, standings[balance.id])


def _claim(session: Session, code: RedeemCode, user: User, now: datetime) -> bool:
    """Of several at once the database lets one through."""
    in_time = exists().where(
        CodeBatch.id == RedeemCode.batch_id, or_(CodeBatch.expires_at.is_(None), CodeBatch.expires_at > now)
    )
    unused = (RedeemCode.id == code.id, RedeemCode.redeemed_at.is_(None), RedeemCode.revoked_at.is_(None), in_time)
    claim = update(RedeemCode).where(*unused).values(redeemed_at=now, redeemed_by=user.id)
    claimed = session.execute(claim.execution_options(synchronize_session=False))
    return bool(claimed.rowcount)  # type: ignore[attr-defined]


def _refusal(state: str) -> AppError:
    codes = {"redeemed": "code_redeemed", "revoked": "code_revoked", "expired": "code_expired"}
    return Conflict(codes[state])


def _balance(session: Session, user: User, unit: str) -> Budget | None:
    """The row of their balance, locked as for every top-up."""
    theirs = (Budget.scope == "user", Budget.scope_id == user.id, Budget.unit == unit, Budget.period == PREPAID)
    return session.scalar(select(Budget).where(*theirs).with_for_update())


_FOR_BALANCE = (
    select(CodeBatch.id)
    .join(Budget, Budget.unit == CodeBatch.unit)
    .where(Budget.scope == "user", Budget.scope_id == bindparam("person"), Budget.period == PREPAID)
    .limit(1)
)
_OF_DIGEST = select(RedeemCode, CodeBatch).join(CodeBatch, CodeBatch.id == RedeemCode.batch_id)
