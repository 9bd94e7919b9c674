"""What programs used, by the access token that they asked with: from `spent_daily`, whose days are the site's.

It knows tokens and money, not how many answers they were of. What was asked before tokens were counted is in none.
"""

from dataclasses import dataclass, field

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from flask_app.database import reading, table_of
from flask_app.domain.budget import TOKENS
from flask_app.errors import BadRequest
from flask_app.models import AccessToken, User
from flask_app.services.spending import spent
from flask_app.services.stats_service import DateRange
from flask_app.services.sums import whole_sum

_LISTED = 900  # tokens named in one query: of a thousand and more MariaDB makes a table first

_tokens, _users = table_of(AccessToken), table_of(User)
_NAMES = select(_tokens.c.id, _tokens.c.name, _users.c.username).join(_users, _users.c.id == _tokens.c.user_id)
_UNITS = select(spent.c.unit).distinct().where(spent.c.scope == "site", spent.c.scope_id == "")
_USED = (
    select(spent.c.scope_id, spent.c.unit, whole_sum(spent.c.amount).label("amount"))
    .where(spent.c.scope == "token")
    .group_by(spent.c.scope_id, spent.c.unit)
)


@dataclass(slots=True)
class TokenUse:
    """`costs` are micro-units by currency."""

    id: str
    name: str
    username: str
    total_tokens: int = 0
    costs: dict[str, int] = field(default_factory=dict)


def own(actor: User, dates: DateRange) -> list[TokenUse]:
    """By each token that a person has or had and used in these days of the site; the most tokens first.

    Raises BadRequest for a range that is backwards.
    """
    return _used(dates, _NAMES.where(_tokens.c.user_id == actor.id))


def site(dates: DateRange) -> list[TokenUse]:
    """The same by everybody's."""
    return _used(dates, _NAMES)


def _used(dates: DateRange, names: Select[tuple[str, str, str]]) -> list[TokenUse]:
    if dates.first and dates.last and dates.first > dates.last:
        raise BadRequest("backwards_range")
    with reading() as session:
        known = {row.id: TokenUse(row.id, row.name, row.username) for row in session.execute(names)}
        ids = list(known)
        used = [row for at in range(0, len(ids), _LISTED) for row in _sums(session, dates, ids[at : at + _LISTED])]
    for row in used:
        if row.unit == TOKENS:
            known[row.scope_id].total_tokens = row.amount
        else:
            known[row.scope_id].costs[row.unit] = row.amount
    found = [known[scope_id] for scope_id in {row.scope_id for row in used}]
    return sorted(found, key=lambda use: (-use.total_tokens, use.id))


def _sums(session: Session, dates: DateRange, listed: list[str]) -> list[Row[tuple[str, str, int]]]:
    """By token and unit. Both are named, that the days of each are found as a range of the table's key.

    What a token used the site used too: it knows every unit there is.
    """
    query = _USED.where(spent.c.scope_id.in_(listed), spent.c.unit.in_(session.scalars(_UNITS).all()))
    if dates.first:
        query = query.where(spent.c.day >= dates.first)
    if dates.last:
        query = query.where(spent.c.day <= dates.last)
    return list(session.execute(query).all())
