"""What a program may use with its access token: one budget at most, which the token's person sets and takes away.

The person's row is locked first and the token's then, as a request does: none is answered between two budgets, and a
token that is being revoked gets no other one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction
from flask_app.models import Budget
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.budgets.standing_queries import budgets
from flask_app.services.tokens import own_tokens

SCOPE = "token"

_OF_TOKENS = select(budgets.c.id).where(
    budgets.c.scope == SCOPE, budgets.c.scope_id.in_(bindparam("tokens", expanding=True))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The most that may be used in each `period`: tokens, or millionths of the currency that `unit` names.

    One that is not `hard` only warns.
    """

    unit: str
    period: str
    limit: int
    hard: bool = True


def put(actor: Actor, token_id: str, cap: Cap) -> Standing:
    """Set the token's one budget, in the place of another. What was used of its period counts.

    Raises Invalid, and NotFound for a foreign token too.
    """

    def work(session: Session) -> Standing:
        own_tokens.hold(session, actor, token_id)
        return keep(session, actor, token_id, cap)

    return in_transaction(work)


def remove(actor: Actor, token_id: str) -> None:
    """Nothing limits the token any more but what limits its person. Raises NotFound for a foreign one too."""

    def work(session: Session) -> None:
        own_tokens.hold(session, actor, token_id)
        for found in _of(session, token_id):
            budget_admin_service.drop(session, actor, found)

    in_transaction(work)


def keep(session: Session, actor: Actor, token_id: str, cap: Cap) -> Standing:
    """The same as `put` within the caller's transaction, which holds the person's row."""
    place = Place(scope=SCOPE, scope_id=token_id, unit=cap.unit, period=cap.period)
    budget_admin_service.check(place, cap.limit, hard=cap.hard)
    same: Budget | None = None
    for found in _of(session, token_id):
        if (found.unit, found.period) == (cap.unit, cap.period):
            same = found
        else:
            budget_admin_service.drop(session, actor, found)
    if same:
        return budget_admin_service.amend(session, actor, same, limit=cap.limit, hard=cap.hard).standing
    made = budget_admin_service.make(session, place, cap.limit, hard=cap.hard)
    terms = {"limit": made.amount, "hard": made.hard}
    return budget_admin_service.recorded(session, actor, "budget.add", made, terms).standing


def forget(session: Session, token_id: str) -> None:
    """A revoked token's budget goes with it, in the same transaction."""
    session.execute(delete(Budget).where(Budget.scope == SCOPE, Budget.scope_id == token_id))


def standings(token_ids: Iterable[str], now: datetime) -> dict[str, Standing]:
    """How the budgets of these tokens stand, by the token's id."""
    with fetching() as connection:
        ids = connection.scalars(_OF_TOKENS, {"tokens": list(token_ids)}).all()
        return {each.scope_id: each for each in budget_service.standings(connection, ids, now).values()}


def _of(session: Session, token_id: str) -> list[Budget]:
    of_token = select(Budget).where(Budget.scope == SCOPE, Budget.scope_id == token_id)
    return list(session.scalars(of_token.with_for_update()))
