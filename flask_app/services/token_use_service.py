"""What programs used, by the access token that they asked with: from `spent_daily`, whose days are the site's.

It knows tokens and money, not how many answers they were of. What was asked before tokens were counted is in none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from flask_app.database import reading, table_of
from flask_app.domain.budget import TOKENS
from flask_app.errors import BadRequest
from flask_app.models import AccessToken, User
from flask_app.services.spending import spent
from flask_app.services.stats_service import DateRange
from flask_app.services.sums import whole_sum

_tokens, _users = table_of(AccessToken), table_of(User)
_USED = (
    select(spent.c.scope_id, spent.c.unit, whole_sum(spent.c.amount).label("amount"), _tokens.c.name, _users.c.username)
    .join(_tokens, _tokens.c.id == spent.c.scope_id)
    .join(_users, _users.c.id == _tokens.c.user_id)
    .where(spent.c.scope == "token")
    .group_by(spent.c.scope_id, spent.c.unit, _tokens.c.name, _users.c.username)
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
    return _used(dates, [actor.id])


def site(dates: DateRange) -> list[TokenUse]:
    """The same by everybody's."""
    return _used(dates, None)


def _used(dates: DateRange, people: Iterable[str] | None) -> list[TokenUse]:
    if dates.first and dates.last and dates.first > dates.last:
        raise BadRequest("backwards_range")
    query = _USED if people is None else _USED.where(_tokens.c.user_id.in_(people))
    if dates.first:
        query = query.where(spent.c.day >= dates.first)
    if dates.last:
        query = query.where(spent.c.day <= dates.last)
    found: dict[str, TokenUse] = {}
    with reading() as session:
        for row in session.execute(query):
            use = found.setdefault(row.scope_id, TokenUse(row.scope_id, row.name, row.username))
            if row.unit == TOKENS:
                use.total_tokens = row.amount
            else:
                use.costs[row.unit] = row.amount
    return sorted(found.values(), key=lambda use: (-use.total_tokens, use.id))
