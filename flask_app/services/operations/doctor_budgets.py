"""What an operator should know of limits in money: is there any in a currency in which nothing is billed?"""

from collections.abc import Iterator
from shlex import quote
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.exc import DBAPIError

from flask_app.database import fetching, table_of
from flask_app.domain.budget import PREPAID, TOKENS
from flask_app.models import AccessToken, Budget, Group, User
from flask_app.services.operations.finding import WARNING, Finding
from flask_app.services.people import group_service
from flask_app.services.tariffs import currencies

SHOWN = 20

_budgets, _users, _groups = table_of(Budget), table_of(User), table_of(Group)
_tokens = table_of(AccessToken)
_OTHERS = (
    select(
        _budgets.c.scope,
        _budgets.c.unit,
        _budgets.c.period,
        _users.c.username,
        _groups.c.id.label("group_id"),
        _groups.c.name,
        _tokens.c.name.label("token"),
    )
    .outerjoin(_tokens, _tokens.c.id == _budgets.c.scope_id)
    .outerjoin(_users, _users.c.id == func.coalesce(_tokens.c.user_id, _budgets.c.scope_id))
    .outerjoin(_groups, _groups.c.id == _budgets.c.scope_id)
    .order_by(_budgets.c.id.desc())
)
_BEGUN = select(_groups.c.id.label("group_id"), _groups.c.name, _groups.c.opening_unit).order_by(_groups.c.name)


def never_reached() -> Iterator[Finding]:
    """Nothing is said while there is no key at all, or the database is away: both are told already."""
    try:
        with fetching() as connection:
            billed = currencies.billed(connection)
            if not billed:
                return
            counted = (TOKENS, *billed)
            rows = connection.execute(_OTHERS.where(_budgets.c.unit.not_in(counted)).limit(SHOWN + 1)).all()
            groups = connection.execute(_BEGUN.where(_groups.c.opening_unit.not_in(counted))).all()
    except DBAPIError:
        return
    instead = f"Add a key that bills in it; or set another in {' or '.join(billed)}"
    for row in rows[:SHOWN]:
        yield Finding(WARNING, f"{_budget(row)}: no key bills in {row.unit}", f"{instead}, and {_removed(row)}")
    if len(rows) > SHOWN:
        what = f"budgets: more than these {SHOWN} are in currencies in which no key bills"
        yield Finding(WARNING, what, "All are listed by: flask budgets list")
    for group in groups:
        what = f"opening balance of {_group(group)}: no key bills in {group.opening_unit}"
        yield Finding(
            WARNING, what, f"{instead}: flask groups opening {quote(_group(group))} AMOUNT --unit {billed[0]}"
        )


def _budget(row: Row[*tuple[Any, ...]]) -> str:
    kind = "balance" if row.period == PREPAID else f"budget ({row.period})"
    if row.token:
        return f"{kind} of {row.username}'s access token {row.token}"
    each = "each of " if row.scope == "member" else ""
    return f"{kind} of {row.username or (each + _group(row) if row.group_id else 'the site')}"


def _removed(row: Row[*tuple[Any, ...]]) -> str:
    if row.token:
        return "ask them to take this one away (API access)"
    group = f" --group {quote(_group(row))}" if row.group_id else ""
    whose = f" --user {quote(row.username)}" if row.username else group
    each = " --each" if row.scope == "member" else ""
    return f"take this one away: flask budgets delete {row.period} --unit {row.unit}{whose}{each}"


def _group(row: Row[*tuple[Any, ...]]) -> str:
    return group_service.name_in("en", row.group_id, row.name)
