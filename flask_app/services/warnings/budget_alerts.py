"""Which budgets are nearly or wholly used up now, and whose use that is: two questions, however many there are."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Row, Select, bindparam, case, func, literal, null, or_, select, union_all
from sqlalchemy.engine import Connection
from sqlalchemy.sql.selectable import FromClause

from flask_app.database import table_of
from flask_app.domain import budget, warning
from flask_app.domain.budget import LOW_PART, PERIODS, PREPAID, RENEWING, Days
from flask_app.domain.warning import Alert
from flask_app.models import AccessToken, Group, User
from flask_app.services.budgets import budget_service
from flask_app.services.budgets.standing_queries import budgets
from flask_app.services.ledger.spending import spent
from flask_app.services.tariffs import tariff_service

KIND = "budget"
OWN = ("user", "member", "token")  # the scopes whose person is told; of the others the administrators are
FACTS = ("scope", "scope_id", "person_id", "name", "token", "unit", "period", "hard", "limit", "full", "used")

_groups, _users, _tokens = table_of(Group), table_of(User), table_of(AccessToken)


def standing(connection: Connection, now: datetime) -> list[Alert]:
    """Every alert that holds at `now`."""
    day = budget_service.site_day(now)
    spans = {period: budget.days_of(period, day) for period in PERIODS}
    first = {f"{period}_first": span.first for period, span in spans.items()}
    last = {f"{period}_last": span.last for period, span in spans.items()}
    costs = tariff_service.least_costs(connection, now)
    least = max(budget.LEAST_TOKENS, *costs.values()) if costs else budget.LEAST_TOKENS
    rows = connection.execute(_NEARLY_USED, first | last | {"least": least}).all()
    found = (_alert(row, spans[row.period], costs) for row in rows)
    return [alert for alert in found if alert]


def _alert(row: Row[Any], days: Days, costs: Mapping[str, int]) -> Alert | None:
    """MariaDB gives sums as decimals: they become integers here."""
    facts = {name: getattr(row, name) for name in FACTS} | {"used": int(row.used), "hard": bool(row.hard)}
    amounts = {name: facts[name] for name in ("limit", "full", "used")}
    least = budget.least_left(row.unit, hard=facts["hard"], costs=costs)
    share = warning.share_used(**amounts, least=least)
    if share is None:
        return None
    renews = row.period in RENEWING
    end = budget_service.begins(days.last + timedelta(days=1)).isoformat() if renews else None
    return Alert(
        kind=KIND,
        subject_id=row.id,
        armed=f"{days.first if renews else PREPAID}:{row.limit}",
        share=share,
        facts=facts | {"renews_at": end},
        owner_id=row.person_id if row.scope in OWN else None,
        person_id=row.person_id if row.scope == "member" else "",
    )


def _day(end: str) -> ColumnElement[date]:
    """The first or the last day of the budget's period."""
    return case({period: bindparam(f"{period}_{end}", type_=Date()) for period in PERIODS}, value=budgets.c.period)


def _standings(
    scope: str, among: FromClause, spender: tuple[str, ColumnElement[Any]], **told: ColumnElement[Any]
) -> Select[Any]:
    """One scope's budgets, each with what is used of it by `spender`, a scope of `spent_daily` and whose."""
    kind, whose = spender
    named = {"person_id": literal(""), "name": null(), "token": null()} | told
    used = (
        select(func.coalesce(func.sum(spent.c.amount), 0))
        .where(spent.c.scope == kind, spent.c.scope_id == whose, spent.c.unit == budgets.c.unit)
        .where(spent.c.day.between(_day("first"), _day("last")))
        .correlate(budgets, _users, _tokens)
        .scalar_subquery()
    )
    return (
        select(
            *(budgets.c[column] for column in ("id", "scope", "scope_id", "unit", "period", "hard")),
            budgets.c.amount.label("limit"),
            case((budgets.c.period == PREPAID, budgets.c.topped_to), else_=budgets.c.amount).label("full"),
            (used - budgets.c.spent_before).label("used"),
            *(column.label(name) for name, column in named.items()),
        )
        .select_from(among)
        .where(budgets.c.scope == scope)
    )


_of_group = budgets.join(_groups, _groups.c.id == budgets.c.scope_id)
_of_person = budgets.join(_users, _users.c.id == budgets.c.scope_id)
_of_each = budgets.join(_users, _users.c.group_id == budgets.c.scope_id)
_of_token = budgets.join(_tokens, _tokens.c.id == budgets.c.scope_id).join(_users, _users.c.id == _tokens.c.user_id)
_active = _users.c.disabled.is_(False)
_usable = _tokens.c.revoked_at.is_(None)
_person = {"person_id": _users.c.id, "name": _users.c.username}
_all = union_all(
    _standings("site", budgets, ("site", literal(""))),
    _standings("group", _of_group, ("group", budgets.c.scope_id), name=_groups.c.name),
    _standings("user", _of_person, ("user", _users.c.id), **_person).where(_active),
    _standings("member", _of_each, ("user", _users.c.id), **_person).where(_active),
    _standings("token", _of_token, ("token", _tokens.c.id), **_person, token=_tokens.c.name).where(_active, _usable),
).subquery()
_left = _all.c.limit - _all.c.used
_little = or_(_left * LOW_PART <= _all.c.full, _left < bindparam("least"))
_NEARLY_USED = select(_all).where(_all.c.full > 0, _little)
