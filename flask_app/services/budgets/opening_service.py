"""The prepaid balance that each person of a group begins with, of one unit. Who has a balance of the unit keeps it.

It is given to all who are in the group in the transaction by which this begins to give one of the unit, and to whoever
comes into it in the one by which they come (`services/people/joining.py`). The rows of the people must be locked, as
for every balance that is made: none of their requests begins meanwhile, and nobody else makes them one.
"""

from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, insert, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, new_id, table_of, utc_now
from flask_app.domain.budget import PREPAID
from flask_app.models import Budget, Group, TopUp, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, reasons, turns
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.ledger import shared_clock
from flask_app.services.ledger.spending import spent
from flask_app.services.tariffs import currencies

_users, _budgets = table_of(User), table_of(Budget)


@dataclass(frozen=True, slots=True)
class Opening:
    """So many tokens, or millionths of the currency that `unit` names. With 0 a person begins with nothing to spend."""

    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The group, and to how many of its people a balance was given."""

    group: Group
    given: int


def of(group: Group) -> Opening | None:
    """None where nobody begins with a balance."""
    if group.opening_unit is None or group.opening_amount is None:
        return None
    return Opening(group.opening_unit, group.opening_amount)


def put(actor: Actor, group_id: str, wanted: Opening | None) -> Opened:
    """Say what everybody begins with.

    If the group gave none of this unit until now, all who are in it and have none get one at once. Another amount of
    the same unit is for those who come later, and None leaves the balances alone.
    Raises NotFound("unknown_group"), Invalid.
    """
    if wanted:
        budget_admin_service.check(Place(scope="user", scope_id="-", unit=wanted.unit, period=PREPAID), wanted.amount)

    def work(session: Session) -> Opened:
        turns.take_of_group(session, group_id)
        group = session.get_one(Group, group_id)
        before, had = told(group), of(group)
        group.opening_unit, group.opening_amount = (wanted.unit, wanted.amount) if wanted else (None, None)
        given = 0
        if wanted and (had is None or had.unit != wanted.unit):
            currencies.check(session, wanted.unit)
            given = give(session, actor, group, _users.c.group_id == group.id)
        if difference := audit_service.difference(before, told(group)):
            details = {"name": group.name, **difference, "given": given}
            audit_service.record(session, actor.user, "group.opening", group.id, details, actor.address)
        return Opened(group, given)

    return in_transaction(work)


def give_to(session: Session, actor: Actor, user: User, group: Group) -> None:
    """What the person begins with who has come into the group; the audit log says so."""
    if (opening := of(group)) and give(session, actor, group, _users.c.id == user.id):
        details = {"username": user.username, "group": group.name, "unit": opening.unit, "amount": opening.amount}
        audit_service.record(session, actor.user, "user.opening", user.id, details, actor.address)


def give(session: Session, actor: Actor, group: Group, whom: ColumnElement[bool]) -> int:
    """Make the group's balance for those of them that have none of its unit. To how many?"""
    opening = of(group)
    if opening is None:
        return 0
    session.flush()
    moment, now = shared_clock.ask(session.connection()), utc_now()
    of_all = {"scope": "user", "unit": opening.unit, "period": PREPAID, "hard": True}
    of_all |= {"amount": opening.amount, "topped_to": opening.amount, "created_at": now, "changed_at": now}
    people = session.execute(_without(whom), {"of_unit": opening.unit}).all()
    made = [
        {**of_all, "id": new_id(moment), "scope_id": person.id, "spent_before": int(person.spent)} for person in people
    ]
    if made:
        session.execute(insert(Budget), made)
    if made and opening.amount:
        same = {"amount": opening.amount, "reason": reasons.OPENING, "created_at": now}
        same["user_id"] = actor.user.id if actor.user else None
        session.execute(insert(TopUp), [{**same, "id": new_id(), "budget_id": each["id"]} for each in made])
    return len(made)


def told(group: Group) -> dict[str, object]:
    """What the audit log says of it."""
    return {"opening_unit": group.opening_unit, "opening_amount": group.opening_amount}


def _without(whom: ColumnElement[bool]) -> Select[str, int]:
    """Those of these people who have no balance of the unit, each with what they have spent of it until now."""
    of_unit: BindParameter[str] = bindparam("of_unit")
    used = and_(spent.c.scope == "user", spent.c.scope_id == _users.c.id, spent.c.unit == of_unit)
    theirs = (_budgets.c.scope == "user", _budgets.c.scope_id == _users.c.id)
    has_one = select(_budgets.c.id).where(*theirs, _budgets.c.unit == of_unit, _budgets.c.period == PREPAID).exists()
    return (
        select(_users.c.id, func.coalesce(func.sum(spent.c.amount), 0).label("spent"))
        .outerjoin(spent, used)
        .where(whom, ~has_one)
        .group_by(_users.c.id)
        .order_by(_users.c.id)
    )
