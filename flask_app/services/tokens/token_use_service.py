"""What programs used, by the access token that they asked with: from `spent_daily` and its months, in the site's days.

It knows tokens and money, not how many answers they were of. What was asked before tokens were counted is in none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Column, Select, select

from flask_app.database import reading, table_of
from flask_app.domain import periods
from flask_app.domain.budget import TOKENS
from flask_app.errors import BadRequest
from flask_app.models import AccessToken, User
from flask_app.services.ledger.spending import months, spent
from flask_app.services.usage.stats_service import DateRange
from flask_app.services.usage.sums import whole_sum

_LISTED = 900  # tokens named in one query: of a thousand and more MariaDB makes a table first
_A_DAY = timedelta(days=1)

_Columns = tuple[Column[Any], Column[Any], Column[Any], Column[Any]]  # token, unit, day or month, amount

_tokens, _users = table_of(AccessToken), table_of(User)
_NAMES = select(_tokens.c.id, _tokens.c.name, _users.c.username).join(_users, _users.c.id == _tokens.c.user_id)
_EVER_USED = select(months.c.token_id).distinct()
_UNITS = select(spent.c.unit).distinct().where(spent.c.scope == "site", spent.c.scope_id == "")
_DAYS: _Columns = (spent.c.scope_id, spent.c.unit, spent.c.day, spent.c.amount)
_MONTHS: _Columns = (months.c.token_id, months.c.unit, months.c.month, months.c.amount)


@dataclass(slots=True)
class TokenUse:
    """`costs` are micro-units by currency."""

    id: str
    name: str
    username: str
    total_tokens: int = 0
    costs: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """_DAYS, or _MONTHS by their first days: those after one day, up to another. None is open."""

    columns: _Columns
    after: date | None
    last: date | None


def own(actor: User, dates: DateRange) -> list[TokenUse]:
    """By each token that a person has or had and used in these days of the site; the most tokens first.

    Raises BadRequest for a range that is backwards.
    """
    return _used(dates, _NAMES.where(_tokens.c.user_id == actor.id))


def site(dates: DateRange) -> list[TokenUse]:
    """The same by everybody's: of people who left by its id alone."""
    return _used(dates, _NAMES, _EVER_USED)


def _used(dates: DateRange, names: Select[tuple[str, str, str]], nameless: Select[str] | None = None) -> list[TokenUse]:
    if dates.first and dates.last and dates.first > dates.last:
        raise BadRequest("backwards_range")
    found: dict[str, TokenUse] = {}
    with reading() as session:
        known = {row.id: TokenUse(row.id, row.name, row.username) for row in session.execute(names)}
        for token_id in () if nameless is None else session.scalars(nameless):
            known.setdefault(token_id, TokenUse(token_id, token_id, ""))
        units = list(session.scalars(_UNITS))
        for query in _queries(dates, list(known), units):
            for row in session.execute(query):
                use = found.setdefault(row.token_id, known[row.token_id])
                if row.unit == TOKENS:
                    use.total_tokens += row.amount
                else:
                    use.costs[row.unit] = use.costs.get(row.unit, 0) + row.amount
    return sorted(found.values(), key=lambda use: (-use.total_tokens, use.id))


def _queries(dates: DateRange, tokens: list[str], units: list[str]) -> Iterator[Select[Any, Any, int]]:
    """Sums by token and unit. Both are named, that the days of each are found as a range of the table's key.

    What a token used the site used too: its counters have every unit there is.
    """
    for part in _parts(dates):
        token, unit, day, amount = part.columns
        used = select(token.label("token_id"), unit.label("unit"), whole_sum(amount).label("amount"))
        used = used.where(unit.in_(units)).group_by(token, unit)
        if part.columns is _DAYS:
            used = used.where(spent.c.scope == "token")
        if part.after:
            used = used.where(day > part.after)
        if part.last:
            used = used.where(day <= part.last)
        for start in range(0, len(tokens), _LISTED):
            yield used.where(token.in_(tokens[start : start + _LISTED]))


def _parts(dates: DateRange) -> Iterator[_Part]:
    """The months that lie within, and the days before and after them: few rows, however long it is."""
    after, last = dates.first and dates.first - _A_DAY, dates.last
    months_after = after and periods.last_of_month(after)
    months_last = last and (last if last == periods.last_of_month(last) else periods.first_of_month(last) - _A_DAY)
    if months_after and months_last and months_after >= months_last:
        yield _Part(_DAYS, after, last)
        return
    yield _Part(_MONTHS, months_after, months_last)
    if after != months_after:
        yield _Part(_DAYS, after, months_after)
    if last != months_last:
        yield _Part(_DAYS, months_last, last)
