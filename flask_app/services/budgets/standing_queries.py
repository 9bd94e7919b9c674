"""How budgets stand, as the database adds it up: what their period has spent, and what attempts on their way hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
    union_all,
)

from flask_app.database import table_of
from flask_app.domain.budget import PERIODS, TOKENS, Days
from flask_app.models import AccessToken, Attempt, Budget
from flask_app.services.ledger.spending import spent

budgets = table_of(Budget)
_attempts, _tokens = table_of(Attempt), table_of(AccessToken)
_ids: BindParameter[str] = bindparam("budgets", expanding=True)
_person: BindParameter[str] = bindparam("person")


@dataclass(frozen=True, slots=True)
class _Counted:
    """What counts against a budget: which spender's days of which unit, and which attempts."""

    spender: str
    whose: ColumnElement[str]
    unit: ColumnElement[str]
    days: tuple[ColumnElement[Any], ColumnElement[Any]]
    attempts: ColumnElement[bool]


def standings(person: str, ids: list[str], days: Mapping[str, Days]) -> tuple[CompoundSelect[Any], dict[str, Any]]:
    """Of any budgets, by their ids; of `person` where one is for each person of a group. `days` are those of the
    periods. A row has the budget's columns, and what is `spent` and `reserved`.
    """
    first = {f"{period}_first": span.first for period, span in days.items()}
    last = {f"{period}_last": span.last for period, span in days.items()}
    return _OF_ANY, {"budgets": ids, "person": person} | first | last


def standings_of_request(
    person: str, known: list[Any], days: Mapping[str, Days]
) -> tuple[CompoundSelect[Any], dict[str, Any]]:
    """The same for a request of `person`, of budgets that are `known`: rows with `budget_id`, `scope`, `scope_id`,
    `unit` and `period`.

    The more is known, the less is read: MariaDB looks at the days of a period alone where whose they are, and their
    ends, are no columns; else at all days there ever were.
    """
    values: dict[str, Any] = {"person": person}
    for number, each in enumerate(known):
        whose = person if each.scope == "member" else each.scope_id
        span = days[each.period]
        own = {"id": each.budget_id, "whose": whose, "unit": each.unit, "first": span.first, "last": span.last}
        values |= {f"of_{number}_{name}": value for name, value in own.items()}
    return _of_scopes(tuple(each.scope for each in known)), values


@lru_cache(maxsize=256)
def _of_scopes(scopes: tuple[str, ...]) -> CompoundSelect[Any]:
    return union_all(*(_of_one(scope, number) for number, scope in enumerate(scopes)))


def _of_one(scope: str, number: int) -> Select[Any]:
    named = {name: BindParameter[str](f"of_{number}_{name}") for name in ("id", "whose", "unit")}
    whose = named["whose"]
    days = (bindparam(f"of_{number}_first", type_=Date()), bindparam(f"of_{number}_last", type_=Date()))
    attempts = {
        "site": true(),
        "group": _attempts.c.group_id == whose,
        "token": and_(_attempts.c.user_id == _person, _attempts.c.token_id == whose),
    }.get(scope, _attempts.c.user_id == whose)
    return _standing(_Counted(_SPENDERS[scope], whose, named["unit"], days, attempts), budgets.c.id == named["id"])


def _of_every(scope: str, whose: ColumnElement[str], attempts: ColumnElement[bool]) -> Select[Any]:
    """One scope's part of the statement, so that each looks through its own index."""
    days = (_day("first"), _day("last"))
    counted = _Counted(_SPENDERS[scope], whose, budgets.c.unit, days, attempts)
    return _standing(counted, and_(budgets.c.id.in_(_ids), budgets.c.scope == scope))


def _day(end: str) -> ColumnElement[Any]:
    """The first or the last day of the budget's period."""
    days = {period: bindparam(f"{period}_{end}", type_=Date()) for period in PERIODS}
    return case(days, value=budgets.c.period)


def _standing(counted: _Counted, of: ColumnElement[bool]) -> Select[Any]:
    used = (
        select(func.coalesce(func.sum(spent.c.amount), 0))
        .where(spent.c.scope == counted.spender, spent.c.scope_id == counted.whose, spent.c.unit == counted.unit)
        .where(spent.c.day.between(*counted.days))
        .correlate(budgets)
    )
    held = case(
        (budgets.c.unit == TOKENS, _attempts.c.reserved_tokens),
        (_attempts.c.currency == budgets.c.unit, _attempts.c.reserved_micros),
        else_=0,
    )
    reserved = (
        select(func.coalesce(func.sum(held), 0))
        .where(_attempts.c.state == "dispatched", counted.attempts)
        .where(_attempts.c.day.between(*counted.days))
        .correlate(budgets)
    )
    sums = (used.scalar_subquery().label("spent"), reserved.scalar_subquery().label("reserved"))
    return select(*budgets.c, *sums).where(of)


_SPENDERS = {"site": "site", "group": "group", "member": "user", "user": "user", "token": "token"}
# By way of its person, whose attempts have an index.
_asked_with = and_(
    _tokens.c.id == budgets.c.scope_id, _attempts.c.user_id == _tokens.c.user_id, _attempts.c.token_id == _tokens.c.id
)
_OF_ANY = union_all(
    _of_every("site", literal(""), true()),
    _of_every("group", budgets.c.scope_id, _attempts.c.group_id == budgets.c.scope_id),
    _of_every("member", _person, _attempts.c.user_id == _person),
    _of_every("user", budgets.c.scope_id, _attempts.c.user_id == budgets.c.scope_id),
    _of_every("token", budgets.c.scope_id, _asked_with),
)
