"""Is `spent_daily` what the ledger says, and did any provider count more than an attempt had reserved?

Ledger and counters are compared in one statement, some days at a time, as the roll-up is (see `rollup_differences`).
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    Date,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.engine import Connection

from flask_app.column_types import UtcDateTime
from flask_app.database import table_of
from flask_app.domain import periods
from flask_app.domain.budget import TOKENS
from flask_app.domain.ranges import Days
from flask_app.models import Attempt, TokenUsage
from flask_app.services.ledger import spending
from flask_app.services.ledger.spending import KEY, spent

DAY = timedelta(days=1)

_ledger, _attempts = table_of(TokenUsage), table_of(Attempt)


def days(connection: Connection, *, at_once: int = 1) -> list[Days]:
    """Every day that an entry or a counter may be of, so many together."""
    moments = [connection.scalar(select(end(_ledger.c.created_at))) for end in (func.min, func.max)]
    found = [moment.date() + days for moment in moments if moment for days in (-DAY, DAY)]
    counted = [connection.scalar(select(end(spent.c.day))) for end in (func.min, func.max)]
    found += [day for day in counted if day]
    firsts = periods.days(min(found), max(found))[::at_once] if found else []
    return [Days(first, first + (at_once - 1) * DAY) for first in firsts]


def differences(connection: Connection, days: Days) -> list[dict[str, Any]]:
    """What is missing in these days' counters, or less than nothing; none normally."""
    return [dict(row) for row in connection.execute(_DIFFERENCES, _bounds(days)).mappings()]


def mend(connection: Connection, days: Days) -> bool:
    """Add what is missing; False where nothing was."""
    return bool(connection.execute(_MEND[connection.dialect.name], _bounds(days)).rowcount)


def count_overruns(connection: Connection, days: Days) -> int:
    """The entries of these days for which the provider counted more than was reserved: the bill is the truth."""
    return connection.scalar(_OVERRUNS, _bounds(days)) or 0


def _bounds(days: Days) -> dict[str, Any]:
    """No zone's day begins or ends further than a day from UTC's."""
    first, last = (datetime.combine(day, time(), UTC) for day in (days.first, days.last))
    return {"first": days.first, "last": days.last, "since": first - DAY, "until": last + 2 * DAY}


_since, _until = (bindparam(name, type_=UtcDateTime()) for name in ("since", "until"))
_first, _last = (bindparam(name, type_=Date()) for name in ("first", "last"))
_of_these_days = and_(
    _ledger.c.created_at >= _since, _ledger.c.created_at < _until, _ledger.c.day.between(_first, _last)
)
_used = and_(_ledger.c.kind == "usage", _of_these_days)
_refunds = _ledger.alias("refunds")


def _comparison() -> Select[Any]:
    """The ledger is read once: each of its sums is an amount in tokens and one in money, in each scope.

    What is given back later is looked for by the attempts of these days: by its moment it would be all that anybody was
    given back since, and nothing finds it by its day. A version from before counted it on the day of its own moment.
    """
    later = and_(_refunds.c.attempt_id == _ledger.c.attempt_id, _refunds.c.kind == "refund")
    since_then = (_used, _refunds.c.created_at >= _until, _refunds.c.day == _ledger.c.day)
    sums = union_all(
        _sums(_ledger, _ledger).where(_of_these_days),
        _sums(_refunds, _ledger.join(_refunds, later)).where(*since_then),
    ).subquery()
    counters = _counters()
    scope, of_tokens = counters.c.scope, counters.c.of_tokens == 1
    of_scope = {"site": literal(""), "group": sums.c.group_id, "user": sums.c.user_id, "token": sums.c.token_id}
    scope_id = case(of_scope, value=scope).label("scope_id")
    unit = case((of_tokens, TOKENS), else_=sums.c.currency).label("unit")
    amount = case((of_tokens, sums.c.tokens), else_=sums.c.micros).label("amount")
    expected = select(scope, scope_id, unit, sums.c.day, amount).join_from(sums, counters, true())
    expected = expected.where(scope_id.is_not(None), unit.is_not(None))
    written = select(*(spent.c[name] for name in KEY), (-spent.c.amount).label("amount"))
    written = written.where(spent.c.day.between(_first, _last))
    both = union_all(expected, written).subquery()
    key = [both.c[name] for name in KEY]
    missing = func.sum(both.c.amount)
    return select(*key, missing.label("amount")).group_by(*key).having(missing != 0)


def _sums(entries: FromClause, source: FromClause) -> Select[Any]:
    """Entries of the ledger, added up as far as all counters have in common.

    A version from before tokens had limits leaves `token_id` out: it is the attempt's, looked up for its entries alone.
    """
    entry = entries.c
    unnamed = and_(entry.channel == "api", entry.token_id.is_(None))
    attempted = _attempts.c.id == case((unnamed, entry.attempt_id))  # no row of any other entry is looked for
    token_id = func.coalesce(entry.token_id, _attempts.c.token_id).label("token_id")
    key = (entry.day, entry.group_id, entry.user_id, token_id, entry.currency)
    tokens = func.sum(entry.prompt_tokens + entry.completion_tokens).label("tokens")
    sums = select(*key, tokens, func.sum(entry.cost_micros).label("micros"))
    return sums.select_from(source.outerjoin(_attempts, attempted)).group_by(*key)


def _counters() -> FromClause:
    kinds = [(scope, of_tokens) for scope in ("site", "group", "user", "token") for of_tokens in (1, 0)]
    rows = (select(literal(scope).label("scope"), literal(of_tokens).label("of_tokens")) for scope, of_tokens in kinds)
    return union_all(*rows).subquery()


_DIFFERENCES = _comparison()
_MEND = spending.adding(spent, _DIFFERENCES)
_same_currency = _ledger.c.currency == _attempts.c.currency
_OVERRUNS = (
    select(func.count())
    .select_from(_ledger)
    .join(_attempts, _attempts.c.id == _ledger.c.attempt_id)
    .where(
        _used,
        _attempts.c.reserved_tokens.is_not(None),  # else of before the budgets
        or_(
            _ledger.c.prompt_tokens + _ledger.c.completion_tokens > _attempts.c.reserved_tokens,
            _ledger.c.cost_micros > case((_same_currency, _attempts.c.reserved_micros), else_=0),
        ),
    )
)
